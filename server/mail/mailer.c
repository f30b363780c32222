/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From due rows to the mail server. On the route: an event queued a row in its own transaction (spool/mail_event.c) ->
 * the spool says so after the commit -> letter.c makes the message -> libcurl hands it over -> mail_sent() or
 * mail_failed().
 */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/mail/mailer.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "server/curl_loop.h"
#include "server/loop.h"
#include "server/mail/letter.h"
#include "server/mail/mail_setup.h"
#include "spool/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define PARALLEL_MAX      64
#define DUE_MAX           (2 * PARALLEL_MAX)
#define CONNECT_TIMEOUT_S 30L
#define SLOW_OCTETS       100L /* a second */
#define IDLE_S            60L  /* a connection is kept so long without a mail */
#define AWAY_MAX_MS       60000
#define SOCKETS_MAX       (2 * PARALLEL_MAX)
#define REPLY_MAX         400

/* A mail under way: it is being written, then handed over. */
struct post {
    struct mailer *mailer;
    struct mail_setup *setup;
    int64_t mail;
    enum mail_kind kind;
    char id[MAIL_ID_SIZE];
    char *to;
    struct letter *letter;
    struct message *message;
    CURL *easy;
    struct curl_slist *recipients;
    char command[9];       /* name of the last one, "" = none yet */
    char reply[REPLY_MAX]; /* the server's last one */
    curl_socket_t fd;      /* of its connection, CURL_SOCKET_BAD = not known */
    bool answered;         /* with a refusal of the mail */
    bool reply_whole;      /* what comes next begins another one */
    bool unreadable;       /* an attachment */
    char error[CURL_ERROR_SIZE];
    LIST_ENTRY(post) link;
};

struct mailer {
    struct mailer_options options;
    struct mail_setup *setup;
    struct curl_loop *curl;
    struct event *due_timer;
    LIST_HEAD(post_list, post) posts;
    int count;
    bool running;   /* mailer_run is under way */
    int away_tries; /* in a row for which there was no server */
    int64_t away_until;
    curl_socket_t sockets[SOCKETS_MAX]; /* open ones, also of connections that are kept */
    int socket_count;
};

/* --- what a reply means --- */

bool mailer_is_refused(int status, bool of_mail)
{
    /* 53x: it is us whom the server does not want yet: no TLS, no password, a wrong one. */
    return of_mail && status >= 500 && status <= 599 && (status < 530 || status > 539);
}

static int status_of(const struct post *post)
{
    int status = 0;

    for (int i = 0; i < 3 && post->reply[i] >= '0' && post->reply[i] <= '9'; i++)
        status = status * 10 + post->reply[i] - '0';
    return status >= 200 && status <= 599 ? status : 0;
}

/* --- one mail --- */

static void post_free(struct post *post)
{
    struct mailer *mailer = post->mailer;

    LIST_REMOVE(post, link);
    mailer->count--;
    if (post->easy != NULL) {
        curl_loop_remove(mailer->curl, post->easy);
        curl_easy_cleanup(post->easy);
    }
    curl_slist_free_all(post->recipients);
    letter_free(post->letter);
    message_free(post->message);
    mail_setup_release(post->setup);
    free(post->to);
    free(post);
}

static void record_failure(const struct post *post, int status, const char *reason, bool for_good)
{
    log_info("mail not sent mail=%s status=%d%s: %s", post->id, status, for_good ? " given up" : "", reason);
    if (mail_failed(post->mailer->options.spool, post->mail, status, reason, for_good) != 0)
        log_error("end of a mail not recorded mail=%s: %s", post->id, err_message());
}

/* The server's answer, on one line and in ASCII, whatever it was. */
static void note_reply(struct post *post, const char *line, size_t size)
{
    size_t length;

    if (post->reply_whole)
        post->reply[0] = '\0';
    post->reply_whole = size < 4 || line[3] != '-';
    length = strlen(post->reply);
    if (length > 0 && length + 1 < sizeof post->reply)
        post->reply[length++] = ' ';
    for (size_t i = length > 0 && size > 4 ? 4 : 0; i < size && length + 1 < sizeof post->reply; i++) {
        unsigned char octet = (unsigned char)line[i];

        if (octet != '\r' && octet != '\n')
            post->reply[length++] = (char)(octet >= 0x20 && octet < 0x7F ? octet : '?');
    }
    post->reply[length] = '\0';
}

static bool is_command(const struct post *post, const char *name)
{
    return strncmp(post->command, name, strlen(name)) == 0;
}

/* Is the answer the last one that matters? After a refused EHLO libcurl tries HELO, after STARTTLS it may go on
 * without, and
 * "*" only ends a way to say the password. */
static bool is_last_answer(const struct post *post)
{
    if (!post->reply_whole || status_of(post) < 400 || is_command(post, "EHLO") || is_command(post, "*"))
        return false;
    return !is_command(post, "STARTTLS") || post->setup->settings.starttls == MAIL_STARTTLS_REQUIRED;
}

/* What comes after that is not part of it. libcurl says QUIT then, and waits for the answer with our loop standing
 * still: a server that does not give one must not hold it up, so nothing is read any more. */
static void end_dialogue(struct post *post)
{
    post->answered = true;
    if (post->fd != CURL_SOCKET_BAD)
        shutdown(post->fd, SHUT_RD);
}

/* Of a command only its name is kept: one of them has the password. */
static void note_command(struct post *post, const char *data, size_t size)
{
    size_t length = 0;

    while (length < size && length + 1 < sizeof post->command && data[length] > ' ')
        length++;
    memcpy(post->command, data, length);
    post->command[length] = '\0';
}

static int on_dialogue(CURL *easy, curl_infotype type, char *data, size_t size, void *context)
{
    struct post *post = context;

    (void)easy;
    if (post->answered)
        return 0;
    if (type == CURLINFO_HEADER_OUT) {
        note_command(post, data, size);
    } else if (type == CURLINFO_HEADER_IN) {
        note_reply(post, data, size);
        if (is_last_answer(post))
            end_dialogue(post);
    }
    return 0;
}

static size_t on_read(char *buffer, size_t size, size_t count, void *context)
{
    struct post *post = context;
    long got = message_read(post->message, buffer, size * count);

    if (got >= 0)
        return (size_t)got;
    post->unreadable = true;
    return CURL_READFUNC_ABORT;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count; /* on_dialogue has it */
}

/* --- sockets --- */

static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct mailer *mailer = context;
    curl_socket_t fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    if (fd >= 0 && mailer->socket_count < SOCKETS_MAX)
        mailer->sockets[mailer->socket_count++] = fd;
    return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

static int on_close_socket(void *context, curl_socket_t fd)
{
    struct mailer *mailer = context;

    for (int i = 0; i < mailer->socket_count; i++)
        if (mailer->sockets[i] == fd)
            mailer->sockets[i--] = mailer->sockets[--mailer->socket_count];
    return close(fd);
}

static void set_sockets(CURL *easy, struct mailer *mailer)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, mailer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, mailer);
}

static void set_tls(CURL *easy, const struct mail_settings *settings)
{
    static const long levels[] = {CURLUSESSL_ALL, CURLUSESSL_TRY, CURLUSESSL_NONE};

    curl_easy_setopt(easy, CURLOPT_USE_SSL, levels[settings->starttls]);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, settings->verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, settings->verify ? 2L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (settings->ca_file[0] != '\0')
        curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file);
}

static void set_times(CURL *easy, const struct mail_settings *settings)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)settings->timeout_s);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, SLOW_OCTETS);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)settings->timeout_s);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_S);
}

/* Receipts and the like have no return path, so that what comes back for one goes nowhere, and never in circles. */
static const char *return_path(enum mail_kind kind, const struct mail_settings *settings)
{
    return kind == MAIL_ROUTED || kind == MAIL_ALARM ? settings->from : "";
}

static void set_easy(struct post *post)
{
    const struct mail_settings *settings = &post->setup->settings;
    CURL *easy = post->easy;

    post->recipients = curl_slist_append(NULL, post->to);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, post);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->error);
    curl_easy_setopt(easy, CURLOPT_URL, post->setup->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* no environment decides where our mails go */
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, return_path(post->kind, settings));
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, post->recipients);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)message_size(post->message));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, post);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_dialogue);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, post);
    if (settings->user[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_USERNAME, settings->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, post->setup->password);
    }
    set_tls(easy, settings);
    set_times(easy, settings);
    set_sockets(easy, post->mailer);
}

/* --- the end of a try --- */

/* Nobody else is sent to a server that is not there: the others wait, and have not failed. */
static void server_is_away(struct mailer *mailer)
{
    int64_t wait_ms = 1000LL << (mailer->away_tries < 6 ? mailer->away_tries : 6);

    mailer->away_tries++;
    mailer->away_until = clock_mono_ms() + (wait_ms < AWAY_MAX_MS ? wait_ms : AWAY_MAX_MS);
}

static void post_failed(struct post *post, CURLcode code)
{
    int status = status_of(post);
    bool of_mail = is_command(post, "MAIL") || is_command(post, "RCPT") || is_command(post, "DATA");
    bool for_good = mailer_is_refused(status, of_mail);
    const char *text = post->error[0] != '\0' ? post->error : curl_easy_strerror(code);

    if (post->unreadable) {
        record_failure(post, 0, "an attachment could not be read", false);
    } else if (status >= 400) {
        if (!of_mail || status == 421)
            server_is_away(post->mailer);
        record_failure(post, status, post->reply, for_good);
    } else {
        server_is_away(post->mailer);
        record_failure(post, 0, text, false);
    }
}

static void on_ended(void *context, void *private, CURLcode code)
{
    struct mailer *mailer = context;
    struct post *post = private;

    if (code != CURLE_OK) {
        post_failed(post, code);
    } else {
        mailer->away_tries = 0;
        mailer->away_until = 0;
        log_info("mail sent mail=%s", post->id);
        if (mail_sent(mailer->options.spool, post->mail) != 0)
            log_error("end of a mail not recorded mail=%s: %s", post->id, err_message());
    }
    post_free(post);
}

static void on_socket(void *context, void *private, curl_socket_t fd)
{
    (void)context;
    ((struct post *)private)->fd = fd;
}

static void on_idle(void *context)
{
    mailer_run(context);
}

/* --- what is due --- */

static int post_send(struct post *post)
{
    post->easy = curl_easy_init();
    if (post->easy == NULL)
        return err_set(ERR_INTERNAL, "libcurl gave no handle");
    set_easy(post);
    return curl_loop_add(post->mailer->curl, post->easy);
}

/* It may have been given up while it was being written. */
static bool still_waits(const struct post *post)
{
    struct mail mail;
    bool waits = mail_get(&mail, post->mailer->options.spool, post->mail) == 0 && mail.state == MAIL_WAITING;

    mail_clear(&mail);
    return waits;
}

static void on_written(void *context, int error, bool for_good, struct message *message)
{
    struct post *post = context;
    struct mailer *mailer = post->mailer;

    post->message = message;
    if (!still_waits(post)) {
        post_free(post);
        mailer_run(mailer);
        return;
    }
    if (error == 0)
        error = post_send(post);
    if (error != 0) {
        char reason[MAIL_REASON_MAX];

        str_copy(reason, sizeof reason, err_message());
        record_failure(post, 0, reason, for_good);
        post_free(post);
        mailer_run(mailer);
    }
}

static void post_start(struct mailer *mailer, const struct mail *mail)
{
    struct post *post = xcalloc(1, sizeof *post);
    struct letter_means means = {&mailer->options, &mailer->setup->settings, mailer->setup->templates};

    post->mailer = mailer;
    post->setup = mail_setup_hold(mailer->setup);
    post->mail = mail->id;
    post->kind = mail->kind;
    memcpy(post->id, mail->public_id, sizeof post->id);
    post->to = xstrdup(mail->to);
    post->reply_whole = true;
    post->fd = CURL_SOCKET_BAD;
    LIST_INSERT_HEAD(&mailer->posts, post, link);
    mailer->count++;
    post->letter = letter_new(mail, on_written, post);
    letter_write(post->letter, &means);
}

static bool is_under_way(const struct mailer *mailer, int64_t mail)
{
    const struct post *post;

    LIST_FOREACH(post, &mailer->posts, link)
    if (post->mail == mail)
        return true;
    return false;
}

/* While the server is away one mail at a time looks whether it is back. */
static int room_of(const struct mailer *mailer)
{
    int parallel = mailer->away_tries > 0 ? 1 : mailer->setup->settings.parallel;

    return parallel - mailer->count;
}

static int start_due(struct mailer *mailer, int64_t *next_at)
{
    struct mail due[DUE_MAX];
    int count = mail_due(due, mailer->count + room_of(mailer), next_at, mailer->options.spool, clock_now_ms());

    for (int i = 0; i < count; i++) {
        if (room_of(mailer) > 0 && !is_under_way(mailer, due[i].id))
            post_start(mailer, &due[i]);
        mail_clear(&due[i]);
    }
    return count;
}

/* There is no server any more: what waits has its tries all the same, so that it comes to an end. */
static int fail_due(struct mailer *mailer, int64_t *next_at)
{
    struct mail due[DUE_MAX];
    struct spool *spool = mailer->options.spool;
    int count = mail_due(due, DUE_MAX, next_at, spool, clock_now_ms()), error = 0;

    for (int i = 0; i < count; i++) {
        if (error == 0 && !is_under_way(mailer, due[i].id))
            error = mail_failed(spool, due[i].id, 0, "no mail server is configured", false);
        mail_clear(&due[i]);
    }
    if (count == DUE_MAX)
        *next_at = clock_now_ms();
    return count < 0 ? count : error;
}

static int work_off(struct mailer *mailer, int64_t *next_at)
{
    return mailer->setup->settings.policy.configured ? start_due(mailer, next_at) : fail_due(mailer, next_at);
}

void mailer_run(struct mailer *mailer)
{
    int64_t next_at = 0, away_ms = mailer->away_until - clock_mono_ms();

    /* A letter that is written at once may fail at once, and asks for the next one: the loop comes by again. */
    if (mailer->setup == NULL)
        return;
    if (mailer->running) {
        loop_timer_at(mailer->due_timer, clock_now_ms());
        return;
    }
    if (away_ms > 0) {
        loop_timer_at(mailer->due_timer, clock_now_ms() + away_ms);
        return;
    }
    if (room_of(mailer) <= 0)
        return;
    mailer->running = true;
    if (work_off(mailer, &next_at) < 0) {
        log_error("mails cannot be worked off: %s", err_message());
        next_at = clock_now_ms() + 5000;
    }
    mailer->running = false;
    if (next_at != 0)
        loop_timer_at(mailer->due_timer, next_at);
}

static void on_due(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    mailer_run(argument);
}

static void on_change(void *context, unsigned changes)
{
    if ((changes & SPOOL_CHANGE_MAIL) != 0)
        mailer_run(context);
}

/* --- the whole --- */

int mailer_check(const struct mail_settings *settings)
{
    struct mail_setup *setup;
    int error = mail_setup_new(&setup, settings);

    mail_setup_release(setup);
    return error;
}

int mailer_new(struct mailer **out, const struct mailer_options *options)
{
    struct mailer *mailer = xcalloc(1, sizeof *mailer);
    const struct curl_loop_options curl = {.base = options->base,
                                           .connections_max = PARALLEL_MAX,
                                           .ended = on_ended,
                                           .idle = on_idle,
                                           .socket = on_socket,
                                           .context = mailer};
    int error;

    mailer->options = *options;
    LIST_INIT(&mailer->posts);
    error = curl_loop_new(&mailer->curl, &curl);
    if (error != 0) {
        free(mailer);
        return error;
    }
    mailer->due_timer = evtimer_new(options->base, on_due, mailer);
    spool_listen(options->spool, on_change, mailer);
    *out = mailer;
    return 0;
}

int mailer_set(struct mailer *mailer, const struct mail_settings *settings)
{
    struct mail_setup *setup;
    int error = mail_setup_new(&setup, settings);

    if (error != 0)
        return error;
    mail_setup_release(mailer->setup);
    mailer->setup = setup;
    mailer->away_until = 0;
    mail_policy_set(mailer->options.spool, &setup->settings.policy);
    return 0;
}

void mailer_free(struct mailer *mailer)
{
    if (mailer == NULL)
        return;
    while (!LIST_EMPTY(&mailer->posts))
        post_free(LIST_FIRST(&mailer->posts));
    for (int i = 0; i < mailer->socket_count; i++)
        shutdown(mailer->sockets[i], SHUT_RD); /* libcurl says QUIT on each, and nobody waits for answers any more */
    curl_loop_free(mailer->curl);
    event_free(mailer->due_timer);
    mail_setup_release(mailer->setup);
    free(mailer);
}
