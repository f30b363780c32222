# SPDX-License-Identifier: GPL-2.0-or-later
"""A store as years of work leave it: faxes in all states and directions, with labels, notes, references, senders and users,
an audit log whose hashes are right, events, deliveries, usage, destinations, contacts and batches. faxd must not run."""
import hashlib
import os
import sqlite3
import struct
import time

HOUR_MS = 3600000
YEAR_MS = 365 * 24 * HOUR_MS
SLICE = 100000
CONTACTS = 20000
DESTINATIONS = 200000
BATCHES = 5000
DELIVERIES = 200000
FEW = 60  # faxes of the user who has few

# Of a thousand numbers 0..999, what lies below each bound: (bound, state). Sent: delivered, failed, unconfirmed, partially
# delivered, canceled, expired, held, scheduled, queued. Received: received, partially received, receive failed, rejected.
SENT = ((780, 10), (880, 13), (890, 12), (900, 11), (930, 14), (940, 15), (945, 2), (950, 3), (1000, 4))
RECEIVED = ((960, 22), (975, 23), (990, 24), (1000, 25))


def case_of(table, number):
    return "CASE " + " ".join(f"WHEN {number} < {bound} THEN {state}" for bound, state in table) + " END"


# Numbers that look thrown but are the same each time: i * a large prime, modulo another.
FAXES = f"""
WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?),
 a AS (SELECT i, (i % 4 = 0) AS inbound, i * 7919 % 1000 AS mille, i * 104729 % {DESTINATIONS} AS other,
  :began + i * {YEAR_MS} / :faxes AS at FROM n),
 b AS (SELECT *, CASE WHEN inbound THEN {case_of(RECEIVED, 'mille')} ELSE {case_of(SENT, 'mille')} END AS state FROM a)
INSERT INTO fax (public_id, direction, state, owner, destination, sender, line_group, priority, not_before, created_at,
 updated_at, queued_at, ended_at, document, original, pages_total, pages_confirmed, attempts, calls, max_attempts, outcome,
 message, error, remote_station_id, line, options, client_reference, tags, metadata, user_id, unread, junk, assigned, labels,
 batch)
SELECT printf('fax_FULL%018d', i), inbound, state, 1,
 CASE WHEN inbound THEN printf('+4930100%02d', i % 50) WHEN i % 20 = 1 THEN '+15550000000'
  ELSE printf('+1666%07d', other) END,
 CASE WHEN inbound THEN printf('+1777%07d', other) WHEN i % 3 = 1 THEN 'billing' ELSE printf('+4930200%02d', i % 50) END,
 CASE WHEN inbound THEN '' ELSE 'nowhere' END, i % 4,
 CASE WHEN state = 3 THEN 4000000000000 ELSE 0 END, at, at + 60000, at,
 CASE WHEN state IN (2, 3, 4) THEN 0 ELSE at + 60000 END, printf('%064d', 7), printf('%064d', 8), 1 + i % 5, 1, 1, 1, 5,
 CASE WHEN state IN (13, 11, 12, 23, 24) THEN 4 + i % 17 WHEN state IN (2, 3, 4) THEN 0 ELSE 1 END, '',
 '', CASE WHEN i % 2 THEN printf('+49 30 %06d', other) ELSE printf('STATION %05d', i % 5000) END, 'sim/5000', '',
 CASE WHEN i = 77777 THEN 'Zebra-1' WHEN i % 10 = 3 THEN 'order' WHEN i % 2 THEN printf('INV-%07d', i) ELSE '' END,
 CASE WHEN i % 1000 = 5 THEN '["rare tag"]' WHEN i % 10 = 5 THEN '["monthly","north"]' ELSE '' END, '',
 CASE WHEN i <= 4 * {FEW} AND i % 4 <> 0 THEN :few WHEN inbound THEN 0 ELSE :first + i % :users END,
 inbound AND i % 40 = 0, inbound AND i % 200 = 4,
 CASE WHEN NOT inbound THEN 0 WHEN i <= 400 THEN :few WHEN i % 12 = 0 THEN :first + i % :users ELSE 0 END,
 CASE WHEN i % 5 = 2 THEN '["' || printf('label %02d', i % 20) || '"]' WHEN i % 100000 = 8 THEN '["seldom"]' ELSE '' END,
 CASE WHEN i % 20 = 7 THEN 1 + i % {BATCHES} ELSE 0 END
FROM b"""

OTHERS = (
    "INSERT INTO fax_label SELECT json_extract(labels, '$[0]'), id FROM fax WHERE labels <> ''",
    "INSERT INTO fax_note (public_id, fax, text, created_at) SELECT printf('note_%018d', id), id, 'looked at', created_at"
    " FROM fax WHERE id % 20 = 0",
    "INSERT INTO attempt (fax, number, provider, line, line_index, started_at, dialed_at, connected_at, ended_at, outcome)"
    " SELECT id, 1, 'sim', '5000', 0, created_at, created_at, created_at + 5000, ended_at, outcome FROM fax WHERE ended_at > 0",
    f"INSERT INTO usage SELECT ended_at / {HOUR_MS} AS h, direction, state, outcome, 'sim', user_id, count(*),"
    " sum(pages_confirmed), sum(55000) FROM fax WHERE ended_at > 0 GROUP BY h, direction, state, outcome, user_id",
    "INSERT OR REPLACE INTO usage_day SELECT hour / 24 AS d, direction, state, outcome, provider, sum(faxes),"
    " sum(pages), sum(call_ms) FROM usage GROUP BY d, direction, state, outcome, provider",
    "INSERT OR REPLACE INTO usage_user SELECT hour / 24 AS d, user_id, direction, state, sum(faxes), sum(pages), sum(call_ms)"
    " FROM usage GROUP BY d, user_id, direction, state",
    "INSERT INTO destination (number, t38_ok, last_outcome, last_at, calls_ok, calls_failed)"
    " SELECT destination, 1, 1, max(created_at), count(*), 0 FROM fax WHERE direction = 0 GROUP BY destination",
    "INSERT INTO fax_tag SELECT t.value, fax.id FROM fax, json_each(fax.tags) t WHERE tags <> ''",
    "INSERT OR REPLACE INTO fax_day SELECT created_at / 86400000 AS d, min(id), max(id) FROM fax GROUP BY d",
    "INSERT INTO batch_count SELECT batch, state, count(*) FROM fax WHERE batch > 0 GROUP BY batch, state",
)


def series(count):
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "


def fill_audit(db, count, now_ms):
    def field(text):
        octets = str(text).encode()
        return struct.pack(">Q", len(octets)) + octets

    head = db.execute("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1").fetchone() or (0, "")
    previous = bytes.fromhex(head[1]) or bytes(32)
    actions = ("fax.sent", "fax.document_viewed", "fax.canceled", "user.signed_in", "config.reloaded")
    rows = []
    for sequence in range(head[0] + 1, head[0] + count + 1):
        at = now_ms - (head[0] + count - sequence) * 20000
        kind, actor = (1, f"key_{sequence % 40:04d}") if sequence % 3 else (2, f"usr_{sequence % 200:04d}")
        texts = (actor, "somebody", "127.0.0.1", actions[sequence % 5] if sequence % 50000 else "purge.rare",
                 f"fax_FULL{sequence % 500000:018d}", "{}")
        hashed = hashlib.sha256(previous + b"".join(map(field, (sequence, at, kind, *texts))))
        previous = hashed.digest()
        rows.append((sequence, at, kind, *texts, hashed.hexdigest()))
        if len(rows) == SLICE or sequence == head[0] + count:
            db.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            rows.clear()


def fill(state, faxes, few, users, endpoint=None):
    """`few`: row of the user who has few; `users`: rows of the others, one after the other."""
    now_ms = int(time.time() * 1000)
    db = sqlite3.connect(os.path.join(state, "faxd.db"), isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -500000")
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute("BEGIN")
    named = {"began": now_ms - YEAR_MS, "faxes": faxes, "few": few, "first": users[0], "users": len(users)}
    statement = FAXES.replace("SELECT ? UNION", "SELECT :from UNION").replace("i < ?", "i < :to")
    for begin in range(0, faxes, SLICE):
        db.execute(statement, {**named, "from": begin + 1, "to": min(begin + SLICE, faxes)})
    db.execute(series(BATCHES) + "INSERT INTO batch (public_id, user_id, wishes, total, expanded, open, created_at, completed_at)"
               " SELECT printf('bat_FULL%018d', i), :first + i % :users, '{}', 20, 20, 0, :began + i, :began + i FROM n",
               {name: named[name] for name in ("first", "users", "began")})
    for statement in OTHERS:
        db.execute(statement)
    db.execute(series(faxes) + "INSERT INTO event (type, fax, created_at, data, user_id) SELECT CASE i % 3 WHEN 0 THEN"
               " 'fax.delivered' WHEN 1 THEN 'fax.accepted' ELSE 'fax.dialing' END, i, :now - (:faxes - i) * 2000,"
               " '{\"id\":\"' || printf('fax_FULL%018d', i) || '\",\"direction\":\"outbound\",\"status\":\"delivered\"}',"
               " CASE WHEN i % 16000 = 1 THEN :few ELSE :first + i % :users END FROM n",
               {**{name: named[name] for name in ("faxes", "few", "first", "users")}, "now": now_ms})
    if endpoint:
        db.execute(series(min(DELIVERIES, faxes)) + "INSERT INTO delivery (public_id, endpoint, event, state, tries, created_at,"
                   " next_at, tried_at, status) SELECT printf('whd_FULL%018d', i), ?,"
                   " (SELECT max(sequence) FROM event) - i, 2, 1, ?, 0, ?, 200 FROM n", (endpoint, now_ms, now_ms))
    db.execute(series(CONTACTS) + "INSERT INTO contact (public_id, name, name_key, organization, organization_key, number,"
               " created_at, updated_at) SELECT printf('con_FULL%018d', i), printf('Person %05d', i), printf('person %05d', i),"
               " printf('Office %04d', i % 2000), printf('office %04d', i % 2000), printf('+1666%07d', i * 10), 1, 1 FROM n")
    db.execute("UPDATE row_count SET rows = ? WHERE name = 'contact'", (CONTACTS,))
    fill_audit(db, faxes, now_ms)
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def rows_of(state, table, public_ids):
    """Their rows, in the order of the ids."""
    db = sqlite3.connect(os.path.join(state, "faxd.db"))
    rows = [db.execute(f"SELECT id FROM {table} WHERE public_id = ?", (public_id,)).fetchone()[0] for public_id in public_ids]
    db.close()
    return rows
