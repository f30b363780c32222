/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of the schema. Statements elsewhere keep to SQL that PostgreSQL reads too; what is SQLite's own (STRICT,
 * AUTOINCREMENT, WITHOUT ROWID) stands here only.
 *
 * Numbers in the conditions of partial indices are stored states of faxes: 1 preparing, 2 held, 3 scheduled, 4 queued,
 * 5 waiting for its number, 6..9 in a call. spool/fax_row.h pins them. Each of these indices answers one question of
 * the queue, and holds only the faxes that the question is about, so that its cost does not grow with the others.
 *
 * AUTOINCREMENT: numbers of faxes, attempts and events are shown outside (cursors, job numbers, journals) and must not
 * come back after a row was deleted.
 */
#include "db/migrations.h"

static const char first[] =
    "CREATE TABLE fax ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " public_id TEXT NOT NULL UNIQUE,"
    " direction INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " reason TEXT NOT NULL DEFAULT '',"
    " owner INTEGER NOT NULL DEFAULT 0,"
    " test INTEGER NOT NULL DEFAULT 0,"
    " destination TEXT NOT NULL DEFAULT '',"
    " sender TEXT NOT NULL DEFAULT '',"
    " line_group TEXT NOT NULL DEFAULT '',"
    " priority INTEGER NOT NULL DEFAULT 2,"
    " not_before INTEGER NOT NULL DEFAULT 0,"
    " expires_at INTEGER NOT NULL DEFAULT 0,"
    " created_at INTEGER NOT NULL,"
    " updated_at INTEGER NOT NULL,"
    " queued_at INTEGER NOT NULL DEFAULT 0,"
    " dialed_at INTEGER NOT NULL DEFAULT 0,"
    " connected_at INTEGER NOT NULL DEFAULT 0,"
    " ended_at INTEGER NOT NULL DEFAULT 0,"
    " original TEXT NOT NULL DEFAULT '',"
    " document TEXT NOT NULL DEFAULT '',"
    " pages_total INTEGER NOT NULL DEFAULT -1,"
    " pages_confirmed INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " calls INTEGER NOT NULL DEFAULT 0,"
    " max_attempts INTEGER NOT NULL DEFAULT 0,"
    " resume INTEGER NOT NULL DEFAULT 0,"
    " on_unconfirmed INTEGER NOT NULL DEFAULT 0,"
    " delivery INTEGER NOT NULL DEFAULT 0,"
    " outcome INTEGER NOT NULL DEFAULT 0,"
    " message TEXT NOT NULL DEFAULT '',"
    " error TEXT NOT NULL DEFAULT '',"
    " remote_station_id TEXT NOT NULL DEFAULT '',"
    " local_station_id TEXT NOT NULL DEFAULT '',"
    " line TEXT NOT NULL DEFAULT '',"
    " attempt INTEGER NOT NULL DEFAULT 0,"
    " options TEXT NOT NULL DEFAULT '',"
    " transport TEXT NOT NULL DEFAULT '',"
    " client_reference TEXT NOT NULL DEFAULT '',"
    " tags TEXT NOT NULL DEFAULT '',"
    " metadata TEXT NOT NULL DEFAULT '',"
    " resent_from TEXT NOT NULL DEFAULT ''"
    ") STRICT;"
    /* the queue */
    "CREATE INDEX fax_preparing ON fax(id) WHERE state = 1;"
    "CREATE INDEX fax_later ON fax(not_before, id) WHERE state = 3;"
    "CREATE INDEX fax_ready ON fax(line_group, test, priority, id) WHERE state = 4;"
    "CREATE INDEX fax_waiting ON fax(destination, test, priority, id) WHERE state = 5;"
    "CREATE INDEX fax_active ON fax(destination, test) WHERE direction = 0 AND state IN (6, 7, 8, 9);"
    "CREATE INDEX fax_canceling ON fax(id) WHERE state = 9;"
    "CREATE INDEX fax_expiring ON fax(expires_at, id) WHERE expires_at > 0 AND state IN (1, 2, 3, 4, 5);"
    /* lists */
    "CREATE INDEX fax_direction ON fax(direction, id);"
    "CREATE INDEX fax_destination ON fax(destination, id);"
    "CREATE INDEX fax_reference ON fax(client_reference, id) WHERE client_reference <> '';"

    "CREATE TABLE attempt ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " fax INTEGER NOT NULL REFERENCES fax(id) ON DELETE CASCADE,"
    " number INTEGER NOT NULL,"
    " provider TEXT NOT NULL,"
    " line TEXT NOT NULL,"
    " line_index INTEGER NOT NULL,"
    " run TEXT NOT NULL DEFAULT '',"
    " started_at INTEGER NOT NULL,"
    " dialed_at INTEGER NOT NULL DEFAULT 0,"
    " connected_at INTEGER NOT NULL DEFAULT 0,"
    " ended_at INTEGER NOT NULL DEFAULT 0,"
    " first_page INTEGER NOT NULL DEFAULT 1,"
    " first_repeated INTEGER NOT NULL DEFAULT 0,"
    " transmitting INTEGER NOT NULL DEFAULT 0,"
    " pages_confirmed INTEGER NOT NULL DEFAULT 0,"
    " outcome INTEGER NOT NULL DEFAULT 0,"
    " message TEXT NOT NULL DEFAULT '',"
    " fs_status INTEGER NOT NULL DEFAULT 0,"
    " end_sent INTEGER NOT NULL DEFAULT 0,"
    " final_confirmed INTEGER NOT NULL DEFAULT 0,"
    " remote_station_id TEXT NOT NULL DEFAULT '',"
    " record TEXT NOT NULL DEFAULT '',"
    " UNIQUE (fax, number)"
    ") STRICT;"
    "CREATE INDEX attempt_open ON attempt(id) WHERE ended_at = 0;"

    "CREATE TABLE event ("
    " sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    " type TEXT NOT NULL,"
    " fax INTEGER NOT NULL DEFAULT 0,"
    " created_at INTEGER NOT NULL,"
    " data TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX event_fax ON event(fax, sequence) WHERE fax <> 0;"

    "CREATE TABLE endpoint ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " public_id TEXT NOT NULL UNIQUE,"
    " url TEXT NOT NULL,"
    " secret TEXT NOT NULL,"
    " events TEXT NOT NULL,"
    " enabled INTEGER NOT NULL,"
    " from_config INTEGER NOT NULL,"
    " disabled_reason TEXT NOT NULL DEFAULT '',"
    " owner INTEGER NOT NULL DEFAULT 0,"
    " created_at INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE delivery ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " public_id TEXT NOT NULL UNIQUE,"
    " endpoint INTEGER NOT NULL REFERENCES endpoint(id) ON DELETE CASCADE,"
    " event INTEGER NOT NULL REFERENCES event(sequence) ON DELETE CASCADE,"
    " state INTEGER NOT NULL,"
    " tries INTEGER NOT NULL DEFAULT 0,"
    " created_at INTEGER NOT NULL,"
    " next_at INTEGER NOT NULL,"
    " tried_at INTEGER NOT NULL DEFAULT 0,"
    " status INTEGER NOT NULL DEFAULT 0,"
    " error TEXT NOT NULL DEFAULT ''"
    ") STRICT;"
    "CREATE INDEX delivery_due ON delivery(endpoint, next_at, id) WHERE next_at > 0;"
    "CREATE INDEX delivery_endpoint ON delivery(endpoint, id);"
    "CREATE INDEX delivery_event ON delivery(event);"

    "CREATE TABLE api_key ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " public_id TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL,"
    " scopes INTEGER NOT NULL,"
    " test INTEGER NOT NULL,"
    " hash TEXT NOT NULL UNIQUE,"
    " created_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL DEFAULT 0,"
    " revoked_at INTEGER NOT NULL DEFAULT 0,"
    " last_used_at INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"

    "CREATE TABLE idempotency ("
    " owner INTEGER NOT NULL,"
    " request_key TEXT NOT NULL,"
    " body_sha TEXT NOT NULL,"
    " status INTEGER NOT NULL,"
    " body TEXT NOT NULL,"
    " location TEXT NOT NULL DEFAULT '',"
    " keep_until INTEGER NOT NULL,"
    " PRIMARY KEY (owner, request_key)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX idempotency_old ON idempotency(keep_until);"

    "CREATE TABLE document ("
    " sha256 TEXT PRIMARY KEY NOT NULL,"
    " size INTEGER NOT NULL,"
    " created_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE prepared ("
    " original TEXT NOT NULL,"
    " options TEXT NOT NULL,"
    " document TEXT NOT NULL REFERENCES document(sha256),"
    " pages INTEGER NOT NULL,"
    " PRIMARY KEY (original, options)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE host_run ("
    " provider TEXT PRIMARY KEY NOT NULL,"
    " run TEXT NOT NULL,"
    " number INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;";

/* While a webhook secret is rotated, both sign for a while. */
static const char second[] = "ALTER TABLE endpoint ADD COLUMN old_secret TEXT NOT NULL DEFAULT '';"
                             "ALTER TABLE endpoint ADD COLUMN old_secret_until INTEGER NOT NULL DEFAULT 0;";

/* Several documents in one fax, a cover, renditions, copies as sent; what a prepared document looks like; how far a
 * preparation is. */
static const char documents[] = "CREATE TABLE fax_document ("
                                " fax INTEGER NOT NULL REFERENCES fax(id) ON DELETE CASCADE,"
                                " role INTEGER NOT NULL,"
                                " position INTEGER NOT NULL,"
                                " document TEXT NOT NULL,"
                                " info TEXT NOT NULL DEFAULT '',"
                                " PRIMARY KEY (fax, role, position)"
                                ") STRICT, WITHOUT ROWID;"
                                "CREATE INDEX fax_document_sha ON fax_document(document);"
                                "ALTER TABLE prepared ADD COLUMN width INTEGER NOT NULL DEFAULT 1728;"
                                "ALTER TABLE prepared ADD COLUMN length_mm INTEGER NOT NULL DEFAULT 297;"
                                "ALTER TABLE prepared ADD COLUMN resolution TEXT NOT NULL DEFAULT 'fine';"
                                "ALTER TABLE fax ADD COLUMN prepared_pages INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE fax ADD COLUMN prepared_of INTEGER NOT NULL DEFAULT -1;";

/* Ids of the keys that a stored document may be encrypted with. */
static const char document_keys[] = "CREATE TABLE document_key (id TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;";

/* Retention. fax_ended and fax_unpurged tell which rows and which documents are due, oldest end first; the others
 * answer whether anything still names a document, which has to be known before it goes. */
static const char retention[] =
    "ALTER TABLE fax ADD COLUMN purged_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE fax ADD COLUMN purged_document TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX fax_ended ON fax(direction, ended_at, id) WHERE ended_at > 0;"
    "CREATE INDEX fax_unpurged ON fax(direction, ended_at, id) WHERE ended_at > 0 AND purged_at = 0;"
    "CREATE INDEX fax_by_original ON fax(original) WHERE original <> '';"
    "CREATE INDEX fax_by_document ON fax(document) WHERE document <> '';"
    "CREATE INDEX prepared_by_document ON prepared(document);";

/* What the world was last told of each trunk; what calls to a number have taught (spool/destination.h pins the stored
 * values). */
static const char trunks[] = "CREATE TABLE trunk_told ("
                             " provider TEXT NOT NULL,"
                             " name TEXT NOT NULL,"
                             " up INTEGER NOT NULL,"
                             " PRIMARY KEY (provider, name)"
                             ") STRICT, WITHOUT ROWID;"
                             "CREATE TABLE destination ("
                             " id INTEGER PRIMARY KEY AUTOINCREMENT,"
                             " number TEXT NOT NULL UNIQUE,"
                             " transport INTEGER NOT NULL DEFAULT 0,"
                             " reason TEXT NOT NULL DEFAULT '',"
                             " t38_ok INTEGER NOT NULL DEFAULT 0,"
                             " t38_failed INTEGER NOT NULL DEFAULT 0,"
                             " t38_in_a_row INTEGER NOT NULL DEFAULT 0,"
                             " g711_ok INTEGER NOT NULL DEFAULT 0,"
                             " g711_failed INTEGER NOT NULL DEFAULT 0,"
                             " g711_in_a_row INTEGER NOT NULL DEFAULT 0,"
                             " last_outcome INTEGER NOT NULL DEFAULT 0,"
                             " last_at INTEGER NOT NULL"
                             ") STRICT;"
                             "CREATE INDEX destination_old ON destination(last_at);";

/* What people do with faxes: calls_before = calls that were made before somebody last had the fax sent again. */
static const char verbs[] = "ALTER TABLE fax ADD COLUMN calls_before INTEGER NOT NULL DEFAULT 0;";

const char *const migrations[] = {first, second, documents, document_keys, retention, trunks, verbs};
const int migrations_count = sizeof(migrations) / sizeof(*migrations);
