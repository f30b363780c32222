/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands in, replies out; after the data, a reply for each recipient. All recipients that can be written down are
 * taken at RCPT, so that one answer tells of all of them. */
#include "config.h"

#include "contrib/mail/lmtp.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "contrib/mail/delivery.h"
#include "contrib/mail/incoming.h"
#include "contrib/mail/line_socket.h"
#include "contrib/mail/settings.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define FAULTS_MAX 20
#define TEXT_MAX   400 /* of a reply: 512 octets are allowed (RFC 5321 4.5.3.1.5) */

struct session {
    struct line_socket socket;
    const struct settings *settings;
    bool greeted, has_sender;
    char sender[ADDRESS_MAX + 1];
    char **recipients;
    int count, faults;
};

__attribute__((format(printf, 2, 3))) static void reply(struct session *session, const char *fmt, ...)
{
    char line[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line - 2, fmt, args);
    va_end(args);
    line_socket_write(&session->socket, line);
}

static void fault(struct session *session, const char *text)
{
    session->faults++;
    reply(session, "%s", text);
}

static void reset(struct session *session)
{
    while (session->count > 0)
        free(session->recipients[--session->count]);
    session->has_sender = false;
}

/* --- paths --- */

/* The path after "FROM:" or "TO:" (`rest` moves behind it), without its angle brackets. False: it is none. */
static bool take_path(char path[ADDRESS_MAX + 1], char **rest, const char *word)
{
    char *at = *rest;
    size_t length = strlen(word), used = 0;
    bool quoted = false;
    if (strncasecmp(at, word, length) != 0)
        return false;
    at += length;
    at += strspn(at, " ");
    if (*at++ != '<')
        return false;
    for (; *at != '\0' && (quoted || *at != '>'); at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7F || used == ADDRESS_MAX || (!quoted && (*at == ' ' || *at == '<')))
            return false;
        if (quoted && *at == '\\' && at[1] != '\0' && used + 1 < ADDRESS_MAX)
            path[used++] = *at++;
        else if (*at == '"')
            quoted = !quoted;
        path[used++] = *at;
    }
    path[used] = '\0';
    if (*at != '>' || !str_is_utf8(path, used))
        return false;
    *rest = at + 1;
    return true;
}

/* SIZE=, BODY=, SMTPUTF8. NULL, or the reply that refuses. */
static const char *check_parameters(const struct session *session, char *rest)
{
    for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " ")) {
        if (strncasecmp(word, "SIZE=", 5) == 0) {
            int64_t size;
            if (str_to_int(&size, word + 5, 0, INT64_MAX) < 0)
                return "501 5.5.4 SIZE= wants a number";
            if (size > settings_message_bytes(session->settings))
                return "552 5.3.4 the message is too large to become a fax";
        } else if (*word != '\0' && strcasecmp(word, "SMTPUTF8") != 0 && strcasecmp(word, "BODY=7BIT") != 0 &&
                   strcasecmp(word, "BODY=8BITMIME") != 0) {
            return "555 5.5.4 the parameter is not known";
        }
    }
    return NULL;
}

static void do_mail(struct session *session, char *rest)
{
    const char *refusal;
    if (!session->greeted)
        fault(session, "503 5.5.1 LHLO comes first");
    else if (session->has_sender)
        fault(session, "503 5.5.1 there is a sender already");
    else if (!take_path(session->sender, &rest, "FROM:"))
        fault(session, "501 5.1.7 MAIL FROM:<address> is wanted");
    else if ((refusal = check_parameters(session, rest)) != NULL)
        reply(session, "%s", refusal);
    else {
        session->has_sender = true;
        reply(session, "250 2.1.0 fine");
    }
}

static void do_rcpt(struct session *session, char *rest)
{
    char path[ADDRESS_MAX + 1];
    if (!session->has_sender)
        fault(session, "503 5.5.1 MAIL comes first");
    else if (!take_path(path, &rest, "TO:") || path[0] == '\0')
        fault(session, "501 5.1.3 RCPT TO:<address> is wanted");
    else if (rest[strspn(rest, " ")] != '\0')
        fault(session, "555 5.5.4 RCPT has no parameters here");
    else if (session->count == session->settings->max_recipients)
        reply(session, "452 4.5.3 a message has at most %d recipients", session->settings->max_recipients);
    else {
        session->recipients[session->count++] = xstrdup(path);
        reply(session, "250 2.1.5 fine");
    }
}

/* --- the message --- */

static void reply_result(struct session *session, const struct recipient *recipient)
{
    switch (recipient->outcome) {
    case OUTCOME_ACCEPTED:
        reply(session, "250 2.1.5 %.*s", TEXT_MAX, recipient->text);
        break;
    case OUTCOME_ANSWERED:
        reply(session, "250 2.0.0 no fax, and the sender was told: %.*s", TEXT_MAX, recipient->text);
        break;
    case OUTCOME_DROPPED:
        reply(session, "250 2.0.0 no fax, and nobody to tell: %.*s", TEXT_MAX, recipient->text);
        break;
    case OUTCOME_REFUSED:
        reply(session, "550 %s %.*s", recipient->status, TEXT_MAX, recipient->text);
        break;
    case OUTCOME_LATER:
        reply(session, "451 %s %.*s", recipient->status, TEXT_MAX, recipient->text);
        break;
    }
}

static void deliver(struct session *session, const struct incoming *incoming)
{
    struct recipient *recipients = xcalloc((size_t)session->count, sizeof *recipients);
    struct delivery delivery = {.settings = session->settings,
                                .sender = session->sender,
                                .user = "",
                                .client = "",
                                .recipients = recipients,
                                .count = session->count};
    for (int i = 0; i < session->count; i++)
        recipients[i].address = session->recipients[i];
    delivery_run(&delivery, incoming);
    for (int i = 0; i < session->count; i++)
        reply_result(session, &recipients[i]);
    delivery_clear(&delivery);
    free(recipients);
}

static void on_data(const void *data, size_t size, void *context)
{
    incoming_add(context, data, size);
}

/* False: the connection is over. */
static bool do_data(struct session *session)
{
    struct incoming incoming;
    if (session->count == 0) {
        fault(session, "503 5.5.1 RCPT comes first");
        return true;
    }
    if (incoming_open(&incoming, session->settings) < 0) {
        log_error("%s", err_message());
        reply(session, "451 4.3.0 there is no room for the message");
        return true;
    }
    reply(session, "354 go on, and end with <CRLF>.<CRLF>");
    bool whole = line_socket_read_data(&session->socket, on_data, &incoming) == 0;
    if (whole && incoming.failed) {
        log_error("%s", err_message());
        for (int i = 0; i < session->count; i++)
            reply(session, "451 4.3.0 there is no room for the message");
    } else if (whole) {
        deliver(session, &incoming);
    }
    incoming_close(&incoming);
    reset(session);
    return whole;
}

static void do_lhlo(struct session *session)
{
    reset(session);
    session->greeted = true;
    reply(session, "250-%.200s", session->settings->hostname);
    reply(session, "250-PIPELINING");
    reply(session, "250-SIZE %lld", (long long)settings_message_bytes(session->settings));
    reply(session, "250-8BITMIME");
    reply(session, "250-SMTPUTF8");
    reply(session, "250 ENHANCEDSTATUSCODES");
}

/* --- commands --- */

/* False: the connection is over. */
static bool command(struct session *session, char *line)
{
    size_t length = strcspn(line, " ");
    char *rest = line + length + strspn(line + length, " ");
    bool goes_on = true;
    line[length] = '\0';
    if (strcasecmp(line, "LHLO") == 0 && *rest != '\0')
        do_lhlo(session);
    else if (strcasecmp(line, "MAIL") == 0)
        do_mail(session, rest);
    else if (strcasecmp(line, "RCPT") == 0)
        do_rcpt(session, rest);
    else if (strcasecmp(line, "DATA") == 0)
        goes_on = do_data(session);
    else if (strcasecmp(line, "RSET") == 0)
        reset(session), reply(session, "250 2.0.0 fine");
    else if (strcasecmp(line, "NOOP") == 0)
        reply(session, "250 2.0.0 fine");
    else if (strcasecmp(line, "VRFY") == 0)
        reply(session, "252 2.5.0 try it");
    else if (strcasecmp(line, "QUIT") == 0)
        reply(session, "221 2.0.0 bye"), goes_on = false;
    else if (strcasecmp(line, "HELO") == 0 || strcasecmp(line, "EHLO") == 0)
        fault(session, "500 5.5.1 this is LMTP: LHLO is wanted");
    else
        fault(session, "500 5.5.1 the command is not known");
    if (session->faults >= FAULTS_MAX)
        reply(session, "421 4.7.0 too many faults");
    return goes_on && session->faults < FAULTS_MAX;
}

void lmtp_run(int fd, const struct settings *settings, const volatile sig_atomic_t *ending, const sigset_t *unblocked)
{
    struct session session = {.settings = settings};
    char line[LINE_SOCKET_LINE];
    bool goes_on = true;
    session.recipients = xcalloc((size_t)settings->max_recipients, sizeof *session.recipients);
    line_socket_open(&session.socket, fd, settings->timeout_s, ending, unblocked);
    reply(&session, "220 %.200s faxmail LMTP", settings->hostname);
    while (goes_on) {
        int result = line_socket_read_line(&session.socket, line);
        if (result == ERR_TOO_BIG)
            fault(&session, "500 5.5.2 the line is too long");
        else if (result == 0)
            goes_on = command(&session, line);
        else
            goes_on = false;
        if (result == ERR_AGAIN)
            reply(&session, "421 4.4.2 %s", *ending ? "the server is stopping" : "nothing came for too long");
        goes_on = goes_on && session.faults < FAULTS_MAX;
    }
    reset(&session);
    free(session.recipients);
    line_socket_close(&session.socket);
}
