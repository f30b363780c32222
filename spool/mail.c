/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of outgoing mails. Nothing about a try is written before its end: after a crash the mail is due as before, and
 * its Message-ID, which is made of its public id, lets the receiver drop a second copy.
 */
#include "spool/mail.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/audit.h"
#include "spool/event.h"
#include "spool/fax.h"
#include "spool/mail_private.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the policy ---- */

static void close_mails(struct spool *spool)
{
    free(spool->mails->alarm_to);
    free(spool->mails);
    spool->mails = NULL;
}

static const struct spool_hook hook = {.close = close_mails};

int mail_start(struct spool *spool)
{
    spool->mails = xcalloc(1, sizeof(*spool->mails));
    mail_policy_default(&spool->mails->policy);
    spool->mails->alarm_to = xstrdup("");
    spool_hook(spool, &hook);
    return 0;
}

void mail_policy_default(struct mail_policy *policy)
{
    static const int delays[] = {5, 30, 120, 600, 1800, 3600};
    *policy = (struct mail_policy){.alarm_to = "", .give_up_s = 3 * 86400, .delay_count = 6};
    memcpy(policy->delays_s, delays, sizeof(delays));
}

void mail_policy_set(struct spool *spool, const struct mail_policy *policy)
{
    spool_assert_loop(spool);
    spool->mails->policy = *policy;
    spool->mails->policy.alarm_to = NULL;
    free(spool->mails->alarm_to);
    spool->mails->alarm_to = xstrdup(policy->alarm_to);
}

bool mail_configured(const struct spool *spool)
{
    return spool->mails->policy.configured;
}

/* What RFC 5321 calls a Mailbox, without quoted local parts and address literals, which nobody has and many programs
 * read differently. */
static bool is_local_part(const char *text, size_t length)
{
    static const char marks[] = "!#$%&'*+-/=?^_`{|}~.";
    if (length < 1 || length > 64 || text[0] == '.' || text[length - 1] == '.')
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char octet = (unsigned char)text[i];
        bool letter =
            (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') || (octet >= '0' && octet <= '9');
        if ((!letter && !strchr(marks, octet)) || (octet == '.' && text[i + 1] == '.'))
            return false;
    }
    return true;
}

static bool is_domain(const char *text)
{
    size_t label = 0;
    for (; *text; text++) {
        unsigned char octet = (unsigned char)*text;
        bool letter =
            (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') || (octet >= '0' && octet <= '9');
        if (octet == '.' && (label == 0 || text[-1] == '-'))
            return false;
        if (octet != '.' && !letter && (octet != '-' || label == 0))
            return false;
        label = octet == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return label > 0 && text[-1] != '-';
}

int mail_address_check(const char *address)
{
    const char *at = strrchr(address, '@');
    size_t length = strlen(address);
    if (length > MAIL_ADDRESS_MAX)
        return err_set(ERR_INVALID, "an address has at most %d octets, this one has %zu", MAIL_ADDRESS_MAX, length);
    if (!at || !is_local_part(address, (size_t)(at - address)) || !is_domain(at + 1))
        return err_set(ERR_INVALID,
                       "an address like name@example.com is needed here: one, without a name beside it, in ASCII");
    return 0;
}

/* ---- rows ---- */

#define COLUMNS                                                                                                        \
    "id, public_id, kind, state, fax, recipient, options, delivery, topic, tries, status, reason, created_at,"         \
    " queued_at, tried_at, ended_at, next_at"

static void read_row(struct mail *mail, struct stmt *stmt)
{
    *mail = (struct mail){.id = stmt_int(stmt, "id")};
    str_copy(mail->public_id, sizeof(mail->public_id), stmt_text(stmt, "public_id"));
    mail->kind = (enum mail_kind)stmt_int(stmt, "kind");
    mail->state = (enum mail_state)stmt_int(stmt, "state");
    mail->fax = stmt_int(stmt, "fax");
    mail->to = xstrdup(stmt_text(stmt, "recipient"));
    mail->options = xstrdup(stmt_text(stmt, "options"));
    mail->delivery = stmt_int(stmt, "delivery");
    mail->topic = xstrdup(stmt_text(stmt, "topic"));
    mail->tries = (int)stmt_int(stmt, "tries");
    mail->status = (int)stmt_int(stmt, "status");
    mail->reason = xstrdup(stmt_text(stmt, "reason"));
    mail->created_at = stmt_int(stmt, "created_at");
    mail->queued_at = stmt_int(stmt, "queued_at");
    mail->tried_at = stmt_int(stmt, "tried_at");
    mail->ended_at = stmt_int(stmt, "ended_at");
    mail->next_at = stmt_int(stmt, "next_at");
}

void mail_clear(struct mail *mail)
{
    free(mail->to);
    free(mail->options);
    free(mail->topic);
    free(mail->reason);
    memset(mail, 0, sizeof(*mail));
}

static int one_row(struct mail *mail, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    memset(mail, 0, sizeof(*mail));
    if (error == 1)
        read_row(mail, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such mail");
}

int mail_get(struct mail *mail, struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    memset(mail, 0, sizeof(*mail));
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM mail WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    return one_row(mail, stmt);
}

int mail_find(struct mail *mail, struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    memset(mail, 0, sizeof(*mail));
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM mail WHERE public_id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    return one_row(mail, stmt);
}

static int check_new(const struct mail *mail, const struct spool *spool)
{
    if (!mail_configured(spool))
        return err_set(ERR_UNSUPPORTED, "no mail is sent here: the configuration names no mail server (mail|server)");
    if (mail->options && strlen(mail->options) > MAIL_OPTIONS_MAX)
        return err_set(ERR_INVALID, "options of a mail have at most %d octets", MAIL_OPTIONS_MAX);
    return mail_address_check(mail->to ? mail->to : "");
}

static int insert(struct mail *mail, struct spool *spool, int64_t now_ms)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool),
                  "INSERT INTO mail (public_id, kind, recipient, options, delivery, topic, created_at,"
                  " queued_at, next_at, fax) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT id FROM fax WHERE id = ?))"
                  " RETURNING id");
    if (error)
        return error;
    stmt_bind_text(stmt, mail->public_id);
    stmt_bind_int(stmt, mail->kind);
    stmt_bind_text(stmt, mail->to);
    stmt_bind_text(stmt, mail->options && *mail->options ? mail->options : "{}");
    stmt_bind_int(stmt, mail->delivery);
    stmt_bind_text(stmt, mail->topic ? mail->topic : "");
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, mail->fax);
    error = stmt_step(stmt);
    if (error == 1)
        mail->id = stmt_int(stmt, "id");
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_INTERNAL, "store: no mail was written");
}

int mail_queue(struct mail *mail, struct spool *spool)
{
    char ulid[STR_ULID_SIZE];
    int64_t now_ms = clock_now_ms();
    spool_assert_loop(spool);
    int error = check_new(mail, spool);
    if (error)
        return error;
    snprintf(mail->public_id, sizeof(mail->public_id), "mail_%s", str_ulid(ulid, now_ms));
    error = insert(mail, spool, now_ms);
    if (!error)
        spool_mark(spool, SPOOL_CHANGE_MAIL);
    return error;
}

/* ---- the end of a try ---- */

void mail_on_end(struct spool *spool, mail_end_fn fn)
{
    spool->mails->ended = fn;
}

static int tell(struct spool *spool, const struct mail *mail, enum mail_told told)
{
    if (!mail->delivery || !spool->mails->ended)
        return 0;
    return spool->mails->ended(spool, mail->delivery, told, mail->reason, mail->next_at);
}

/* `before`: as it was. */
static int write_end(struct spool *spool, const struct mail *mail, enum mail_state before)
{
    struct stmt *stmt;
    int64_t changed;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE mail SET state = ?, tries = ?, status = ?, reason = ?, tried_at = ?, ended_at = ?,"
                          " next_at = ? WHERE id = ? AND state = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, mail->state);
    stmt_bind_int(stmt, mail->tries);
    stmt_bind_int(stmt, mail->status);
    stmt_bind_text(stmt, mail->reason);
    stmt_bind_int(stmt, mail->tried_at);
    stmt_bind_int(stmt, mail->ended_at);
    stmt_bind_int(stmt, mail->next_at);
    stmt_bind_int(stmt, mail->id);
    stmt_bind_int(stmt, before);
    error = stmt_run(&changed, stmt);
    return !error && changed != 1 ? err_set(ERR_CONFLICT, "this mail is no longer waiting") : error;
}

static void set_end(struct mail *mail, enum mail_state state, int status, const char *reason)
{
    char kept[MAIL_REASON_MAX + 1];
    mail->state = state;
    mail->status = status;
    str_copy(kept, sizeof(kept), reason);
    free(mail->reason);
    mail->reason = xstrdup(kept);
    mail->ended_at = state == MAIL_WAITING ? 0 : clock_now_ms();
    if (state != MAIL_WAITING)
        mail->next_at = 0;
}

/* What leaves with a mail is seen by who reads it. */
static int tell_audit(struct spool *spool, const struct mail *mail)
{
    struct fax fax;
    int error = mail->fax ? fax_get(&fax, spool, mail->fax) : ERR_NOT_FOUND;
    if (error)
        return error == ERR_NOT_FOUND ? 0 : error;
    char *detail = xasprintf("{\"mail\":\"%s\",\"kind\":\"%s\"}", mail->public_id, mail_kind_name(mail->kind));
    error = audit_write_server(spool, "fax.mailed", fax.public_id, detail);
    free(detail);
    fax_clear(&fax);
    return error;
}

int mail_sent(struct spool *spool, int64_t id)
{
    struct mail mail;
    int error = mail_get(&mail, spool, id);
    if (error)
        return error;
    mail.tries++;
    mail.tried_at = clock_now_ms();
    /* One that was given up meanwhile has left all the same. */
    enum mail_state before = mail.state == MAIL_GIVEN_UP ? MAIL_GIVEN_UP : MAIL_WAITING;
    set_end(&mail, MAIL_SENT, 250, "");
    error = write_end(spool, &mail, before);
    if (!error)
        error = tell_audit(spool, &mail);
    if (!error)
        error = tell(spool, &mail, MAIL_TOLD_DONE);
    mail_clear(&mail);
    return error;
}

/* What the other server said, without the address that it most often names. The caller frees. */
static char *nameless(const struct mail *mail)
{
    static const char instead[] = "the recipient";
    size_t length = strlen(mail->to), used = 0;
    char *text = xmalloc(strlen(mail->reason) * sizeof(instead) + 1);
    for (const char *from = mail->reason; *from;) {
        if (length && strncasecmp(from, mail->to, length) == 0) {
            memcpy(text + used, instead, sizeof(instead) - 1);
            used += sizeof(instead) - 1;
            from += length;
        } else {
            text[used++] = *from++;
        }
    }
    text[used] = '\0';
    return text;
}

static int tell_given_up(struct spool *spool, const struct mail *mail)
{
    struct fax fax = {0};
    int error = mail->fax ? fax_get(&fax, spool, mail->fax) : 0;
    if (error)
        return error;
    log_warning("mail given up mail=%s fax=%s: %s", mail->public_id, mail->fax ? fax.public_id : "-", mail->reason);
    /* Not the address: it is somebody's, and whoever may read events need not know it. */
    char *reason = nameless(mail);
    json_t *data = json_pack("{s:s, s:s, s:s, s:i}", "mail", mail->public_id, "kind", mail_kind_name(mail->kind),
                             "reason", reason, "tries", mail->tries);
    free(reason);
    error = event_write(spool, "mail.failed", mail->fax ? &fax : NULL, data);
    json_decref(data);
    fax_clear(&fax);
    return error;
}

/* Up to a tenth more, so that what failed together does not come back together. */
static int64_t delay_ms(const struct mail_policy *policy, int tries)
{
    int place = tries < policy->delay_count ? tries : policy->delay_count - 1;
    int64_t delay = 1000LL * (place >= 0 ? policy->delays_s[place] : 60);
    return delay + randombytes_uniform((uint32_t)(delay / 10 + 1));
}

int mail_failed(struct spool *spool, int64_t id, int status, const char *reason, bool for_good)
{
    const struct mail_policy *policy = &spool->mails->policy;
    struct mail mail;
    int64_t now_ms = clock_now_ms();
    int error = mail_get(&mail, spool, id);
    if (error || mail.state == MAIL_GIVEN_UP) { /* meanwhile */
        mail_clear(&mail);
        return error;
    }
    bool again = !for_good && now_ms - mail.queued_at < policy->give_up_s * 1000;
    mail.next_at = now_ms + delay_ms(policy, mail.tries);
    mail.tries++;
    mail.tried_at = now_ms;
    set_end(&mail, again ? MAIL_WAITING : MAIL_GIVEN_UP, status, reason);
    error = write_end(spool, &mail, MAIL_WAITING);
    if (!error)
        error = tell(spool, &mail, again ? MAIL_TOLD_AGAIN : MAIL_TOLD_GIVEN_UP);
    if (!error && !again)
        error = tell_given_up(spool, &mail);
    if (!error && again)
        spool_mark(spool, SPOOL_CHANGE_MAIL);
    mail_clear(&mail);
    return error;
}

int mail_cancel(struct spool *spool, int64_t id, const char *reason)
{
    struct mail mail;
    int error = mail_get(&mail, spool, id);
    if (error)
        return error;
    set_end(&mail, MAIL_GIVEN_UP, mail.status, reason);
    error = write_end(spool, &mail, MAIL_WAITING);
    mail_clear(&mail);
    return error == ERR_CONFLICT ? err_set(ERR_NOT_FOUND, "this mail is no longer waiting") : error;
}

int mail_next_of_fax(int64_t *id, struct spool *spool, int64_t fax)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool), "SELECT id FROM mail WHERE fax = ? AND delivery > 0 AND +state = 0 LIMIT 1");
    if (error)
        return error;
    stmt_bind_int(stmt, fax);
    error = stmt_step(stmt);
    *id = error == 1 ? stmt_int(stmt, "id") : 0;
    stmt_close(stmt);
    return error;
}

static int check_retry(const struct mail *mail, const struct spool *spool)
{
    if (!mail_configured(spool))
        return err_set(ERR_UNSUPPORTED, "no mail is sent here: the configuration names no mail server (mail|server)");
    if (mail->state == MAIL_SENT)
        return err_set(ERR_CONFLICT, "this mail was sent: the mail server has taken it");
    if (mail->state == MAIL_WAITING && mail->tries == 0)
        return err_set(ERR_CONFLICT, "this mail is about to be sent");
    return 0;
}

static int queue_again(struct spool *spool, int64_t id, int64_t now_ms)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE mail SET state = 0, ended_at = 0, queued_at = ?, next_at = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, id);
    spool_mark(spool, SPOOL_CHANGE_MAIL);
    return stmt_run(NULL, stmt);
}

int mail_retry(struct spool *spool, const char *public_id)
{
    struct mail mail;
    int error = mail_find(&mail, spool, public_id);
    if (error)
        return error;
    error = check_retry(&mail, spool);
    bool given_up = mail.state == MAIL_GIVEN_UP;
    mail.next_at = clock_now_ms();
    if (!error && given_up)
        error = tell(spool, &mail, MAIL_TOLD_RESUMED);
    if (!error)
        error = queue_again(spool, mail.id, mail.next_at);
    mail_clear(&mail);
    return error;
}

/* ---- what is due ---- */

static int next_after(int64_t *next_at, struct spool *spool, int64_t now_ms)
{
    struct stmt *stmt;
    *next_at = 0;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT next_at FROM mail WHERE next_at > 0 AND next_at > ? ORDER BY next_at LIMIT 1");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    error = stmt_step(stmt);
    if (error == 1)
        *next_at = stmt_int(stmt, "next_at");
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

int mail_due(struct mail *mails, int room, int64_t *next_at, struct spool *spool, int64_t now_ms)
{
    struct stmt *stmt;
    int count = 0, error = next_after(next_at, spool, now_ms);
    if (!error)
        error =
            stmt_open(&stmt, spool_db(spool),
                      "SELECT " COLUMNS " FROM mail WHERE next_at > 0 AND next_at <= ? ORDER BY next_at, id LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, room);
    while (count < room && (error = stmt_step(stmt)) == 1)
        read_row(&mails[count++], stmt);
    stmt_close(stmt);
    for (int i = 0; error < 0 && i < count; i++)
        mail_clear(&mails[i]);
    return error < 0 ? error : count;
}
