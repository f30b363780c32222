/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sendfax: options of HylaFAX's to fields of POST /v1/faxes, one fax for each destination.
 *
 * What stands before a destination counts for it and for those behind it. What has no meaning to faxd is taken and does
 * nothing where a fax goes out all the same; where it would be another one than was asked for, it is refused. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "contrib/common/order.h"
#include "contrib/hylafax/hyla.h"
#include "contrib/hylafax/when.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define FILES_MAX  20
#define JOBS_MAX   1000
#define LINE_MAX_  512
#define CALLS_MAX  50
#define COVER      "plain"
#define LETTERS    "a:b:B:c:C:d:f:F:h:i:I:k:M:o:P:r:s:S:t:T:U:V:W:x:X:y:Y:z:Z:123lmnNpvwADEGRJ"
#define ROOM       (64 << 10)
#define LOOK_MS    15000
#define TICK_MS    1000
#define RETRY_MOST 86400

static const char usage[] = "usage: sendfax [options] [files]\n";

/* What the next destination gets. */
struct parameters {
    struct order order;
    char *note, *subject, *mail;
    const char *send_at, *kill_at, *tries, *dials;
    bool cover, notify, requeued;
};

struct sending {
    struct parameters now;
    struct order *jobs;
    int job_count;
    char *files[FILES_MAX];
    int file_count;
    int input;                  /* descriptor of what came by standard input, -1 = nothing did */
    bool verbose, wait, unused; /* options behind the last destination */
    int64_t group;
};

static void say(const struct sending *sending, const char *text)
{
    if (sending->verbose)
        printf("sendfax: %s\n", text);
}

/* --- destinations --- */

/* Letters are those of the keys of a telephone. */
static void dial_letters(char *number)
{
    static const char keys[] = "22233344455566677778889999";
    for (char *c = number; *c != '\0'; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = keys[*c - 'a'];
        else if (*c >= 'A' && *c <= 'Z')
            *c = keys[*c - 'A'];
    }
}

static struct order copy_of(const struct order *order)
{
    struct order copy = {.field_count = 0};
    for (int i = 0; i < order->field_count; i++)
        order_add(&copy, order->fields[i].name, order->fields[i].value);
    return copy;
}

/* How often it is called: what counts for faxd are calls, whether they were answered or not. */
static bool set_calls(struct order *order, const struct parameters *now)
{
    const char *calls = now->dials != NULL ? now->dials : now->tries;
    int64_t count;
    char text[16];
    if (calls == NULL || strcmp(calls, "-1") == 0)
        return true;
    if (str_to_int(&count, calls, 0, 1000000) != 0) {
        hyla_complain("\"%s\" is no number of calls", calls);
        return false;
    }
    snprintf(text, sizeof text, "%d", count < 1 ? 1 : count > CALLS_MAX ? CALLS_MAX : (int)count);
    order_set(order, "retry.max_attempts", text);
    return true;
}

static bool set_times(struct order *order, const struct parameters *now)
{
    int64_t at_ms = clock_now_ms(), end_ms;
    bool later = now->send_at != NULL && strcasecmp(now->send_at, "now") != 0;
    int error = later ? when_parse(&at_ms, now->send_at, at_ms) : 0;
    if (error == 0 && later) {
        char *text = hyla_time(at_ms);
        order_set(order, "not_before", text);
        free(text);
    }
    if (error == 0 && now->kill_at != NULL)
        error = when_parse(&end_ms, now->kill_at, at_ms);
    if (error == 0 && now->kill_at != NULL) {
        char *text = hyla_time(end_ms);
        order_set(order, "expires_at", text);
        free(text);
    }
    if (error != 0)
        hyla_complain("%s", err_message());
    return error == 0;
}

static void set_cover(struct order *order, const struct parameters *now, const char *person)
{
    if (!now->cover) {
        for (int i = order->field_count - 1; i >= 0; i--) {
            if (strncmp(order->fields[i].name, "cover_page.", 11) == 0) {
                char *name = xstrdup(order->fields[i].name);
                order_set(order, name, NULL);
                free(name);
            }
        }
        return;
    }
    if (!order_has(order, "cover_page.template"))
        order_set(order, "cover_page.template", COVER);
    if (!order_has(order, "cover_page.fields.from_name"))
        order_set(order, "cover_page.fields.from_name", hyla_user());
    order_set(order, "cover_page.fields.to_name", person);
}

/* "person@number#subaddress". False and the reason is said. */
static bool add_job(struct sending *sending, const char *destination)
{
    const char *at = strrchr(destination, '@');
    char *person = at != NULL ? xasprintf("%.*s", (int)(at - destination), destination) : NULL;
    char *number = xstrdup(at != NULL ? at + 1 : destination), *sub = strchr(number, '#');
    struct order order = copy_of(&sending->now.order);
    bool good = sending->job_count < JOBS_MAX;
    if (!good)
        hyla_complain("at most %d destinations", JOBS_MAX);
    if (sub != NULL)
        *sub++ = '\0';
    dial_letters(number);
    if (good && number[0] == '\0') {
        hyla_complain("Null destination for \"%s\"", destination);
        good = false;
    }
    good = good && set_calls(&order, &sending->now) && set_times(&order, &sending->now);
    if (good) {
        order_set(&order, "to", number);
        if (sub != NULL)
            order_set(&order, "t30.sub", sub);
        order_set(&order, "metadata.receiver", person);
        if (!order_has(&order, "metadata.owner"))
            order_set(&order, "metadata.owner", hyla_user());
        if (sending->now.notify && sending->now.mail != NULL)
            order_set(&order, "receipt.email", sending->now.mail);
        set_cover(&order, &sending->now, person);
        sending->jobs = xrealloc(sending->jobs, (size_t)(sending->job_count + 1) * sizeof *sending->jobs);
        sending->jobs[sending->job_count++] = order;
        sending->unused = false;
    } else {
        order_clear(&order);
    }
    free(person);
    free(number);
    return good;
}

static bool add_jobs_of_file(struct sending *sending, const char *path)
{
    char line[LINE_MAX_];
    FILE *file = fopen(path, "re");
    bool good = file != NULL;
    if (!good)
        hyla_complain("%s: %s", path, strerror(errno));
    while (good && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0' && line[0] != '#')
            good = add_job(sending, line);
    }
    if (file != NULL)
        fclose(file);
    return good;
}

/* --- options --- */

/* "Joe Blow <joe@foo.com>", "joe@foo.com (Joe Blow)", "joe": who it is, and where mail goes. */
static void set_from(struct parameters *now, const char *from)
{
    const char *open = strpbrk(from, "<("), *close = open != NULL ? strpbrk(open, ">)") : NULL;
    char *inner = open != NULL && close != NULL ? xasprintf("%.*s", (int)(close - open - 1), open + 1) : NULL;
    char *outer = open != NULL ? xasprintf("%.*s", (int)(open - from), from) : xstrdup(from);
    for (size_t length = strlen(outer); length > 0 && outer[length - 1] == ' '; length--)
        outer[length - 1] = '\0';
    const char *mail = inner != NULL && open[0] == '<' ? inner : outer;
    const char *name = inner != NULL && open[0] == '(' ? inner : outer[0] != '\0' ? outer : from;
    free(now->mail);
    now->mail = strchr(mail, '@') != NULL ? xstrdup(mail) : NULL;
    order_set(&now->order, "cover_page.fields.from_name", name);
    order_set(&now->order, "metadata.from", from);
    free(inner);
    free(outer);
}

static void set_compressions(struct order *order, int option)
{
    order_set(order, "route.compressions", NULL);
    if (option != '3')
        order_add(order, "route.compressions", "mh");
    if (option == '2')
        order_add(order, "route.compressions", "mr");
}

/* A file of HylaFAX's becomes the name of a cover page of faxd. */
static void set_template(struct order *order, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    char *stem = xasprintf("%.*s", (int)strcspn(name, "."), name);
    order_set(order, "cover_page.template", stem);
    free(stem);
}

static bool set_retry_time(struct order *order, const char *text)
{
    static const char *const classes[] = {"busy", "no_answer", "line", "protocol", "disconnected"};
    int64_t seconds;
    char number[24];
    if (when_parse_span(&seconds, text) != 0) {
        hyla_complain("%s", err_message());
        return false;
    }
    snprintf(number, sizeof number, "%lld", (long long)(seconds < 1 ? 1 : seconds > RETRY_MOST ? RETRY_MOST : seconds));
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        char *name = xasprintf("retry.delays.%s", classes[i]);
        order_set(order, name, number);
        free(name);
    }
    return true;
}

static bool set_priority(struct order *order, const char *text)
{
    const char *priority = hyla_priority(text);
    if (priority == NULL) {
        hyla_complain("Invalid job priority %s; values must be in the range [0,255]", text);
        return false;
    }
    order_set(order, "priority", priority);
    return true;
}

/* Any part of the name of a page size is enough. Sizes that faxd has not are those of documents, not of texts. */
static void set_size(struct order *order, const char *size)
{
    static const char *const rows[][2] = {{"a4", "a4"},
                                          {"iso a4", "a4"},
                                          {"na-let", "letter"},
                                          {"letter", "letter"},
                                          {"north american letter", "letter"},
                                          {"us-let", "letter"},
                                          {"us-leg", "legal"},
                                          {"american legal", "legal"},
                                          {"legal", "legal"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcasecmp(size, rows[i][0]) == 0)
            order_set(order, "paper", rows[i][1]);
    }
}

static bool refuse(int option, const char *why)
{
    hyla_complain("-%c: %s", option, why);
    return false;
}

/* Options that are one field each. */
static const struct {
    char option;
    const char *field, *value; /* value NULL: the option's */
} plain[] = {
    {'B', "route.max_rate", NULL},
    {'c', "cover_page.note", NULL},
    {'E', "route.ecm", "false"},
    {'G', "resolution", "superfine"},
    {'i', "client_reference", NULL},
    {'l', "resolution", "standard"},
    {'m', "resolution", "fine"},
    {'o', "metadata.owner", NULL},
    {'r', "cover_page.fields.subject", NULL},
    {'S', "station_id", NULL},
    {'U', "cover_page.fields.from_voice", NULL},
    {'V', "cover_page.fields.to_voice", NULL},
    {'W', "cover_page.fields.from_fax", NULL},
    {'x', "cover_page.fields.to_company", NULL},
    {'X', "cover_page.fields.from_company", NULL},
    {'y', "cover_page.fields.to_location", NULL},
    {'Y', "cover_page.fields.from_location", NULL},
};

static bool take_plain(struct order *order, int option, const char *value)
{
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (plain[i].option == option) {
            order_set(order, plain[i].field, plain[i].value != NULL ? plain[i].value : value);
            return true;
        }
    }
    return false;
}

/* -h [modem@]host: what HylaFAX calls a modem or a class of modems is a group of lines here. */
static void take_host(struct order *order, const char *value)
{
    char *modem = NULL;
    hyla_host(&modem, value);
    if (modem != NULL)
        order_set(order, "route.group", strcasecmp(modem, "any") != 0 ? modem : NULL);
    free(modem);
}

/* Options that speak of the whole call, or of when and to whom. */
static bool take_other(struct sending *sending, int option, const char *value)
{
    struct parameters *now = &sending->now;
    switch (option) {
    case '1':
    case '2':
    case '3':
        set_compressions(&now->order, option);
        return true;
    case 'a':
        now->send_at = value;
        return true;
    case 'C':
        set_template(&now->order, value);
        return true;
    case 'd':
        return add_job(sending, value);
    case 'D':
    case 'R':
        now->notify = true;
        return true;
    case 'f':
        set_from(now, value);
        return true;
    case 'h':
        take_host(&now->order, value);
        return true;
    case 'I':
        return set_retry_time(&now->order, value);
    case 'k':
        now->kill_at = value;
        return true;
    case 'n':
        now->cover = false;
        return true;
    case 'N':
        now->notify = false;
        return true;
    case 'p':
        return refuse(option, "faxd does not poll: nothing can be fetched from another machine");
    case 'P':
        return set_priority(&now->order, value);
    case 's':
        set_size(&now->order, value);
        return true;
    case 't':
        now->tries = value;
        return true;
    case 'T':
        now->dials = value;
        return true;
    case 'v':
        sending->verbose = true;
        return true;
    case 'w':
        sending->wait = true;
        return true;
    case 'z':
        return add_jobs_of_file(sending, value);
    case 'Z':
        return refuse(option, "a part of the pages cannot be sent so: fax send --set, or split the document first");
    case '?':
        fputs(usage, stderr);
        return false;
    default: /* the slowest rate, the tag line's form, scan lines, archives: faxd sees to that itself */
        return true;
    }
}

static bool take(struct sending *sending, int option, const char *value)
{
    if (strchr("dzvwh", option) == NULL)
        sending->unused = true;
    return take_plain(&sending->now.order, option, value) || take_other(sending, option, value);
}

/* Settings of HylaFAX's files are the same as options before all others. */
static bool take_settings(struct sending *sending)
{
    static const struct {
        const char *tag;
        int option;
    } rows[] = {{"From", 'f'},
                {"MailAddr", 'f'},
                {"KillTime", 'k'},
                {"MaxDials", 'T'},
                {"MaxTries", 't'},
                {"PageSize", 's'},
                {"Priority", 'P'},
                {"RetryTime", 'I'},
                {"SendTime", 'a'},
                {"DesiredSpeed", 'B'},
                {"Cover-Comments", 'c'},
                {"Cover-Template", 'C'},
                {"Cover-Regarding", 'r'},
                {"Cover-Company", 'x'},
                {"Cover-Location", 'y'},
                {"Cover-Voice", 'V'},
                {"Cover-From-Company", 'X'},
                {"Cover-From-Location", 'Y'},
                {"Cover-From-Voice", 'U'},
                {"Cover-From-Fax", 'W'}};
    bool good = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && good; i++) {
        const char *value = hyla_setting(rows[i].tag);
        if (value != NULL)
            good = take(sending, rows[i].option, value);
    }
    sending->now.cover = !hyla_setting_is_no("AutoCoverPage");
    sending->unused = false;
    return good;
}

/* --- documents --- */

/* Standard input into a file without a name. False and the reason is said. */
static bool read_input(struct sending *sending)
{
    char room[ROOM];
    const char *folder = getenv("TMPDIR");
    ssize_t got = -1;
    size_t size = 0;
    sending->input = open(folder != NULL ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    while (sending->input >= 0 && (got = read(STDIN_FILENO, room, sizeof room)) > 0 &&
           write(sending->input, room, (size_t)got) == got)
        size += (size_t)got;
    if (got != 0)
        hyla_complain("standard input: %s", strerror(errno));
    else if (size == 0)
        hyla_complain("No input data; transmission aborted.");
    if (got != 0 || size == 0)
        return false;
    sending->files[sending->file_count++] = xasprintf("/proc/self/fd/%d", sending->input);
    return true;
}

static bool take_files(struct sending *sending, char **files, int count)
{
    if (count > FILES_MAX) {
        hyla_complain("at most %d files", FILES_MAX);
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (strcmp(files[i], "-") == 0) {
            if (sending->input < 0 && !read_input(sending))
                return false;
        } else if (access(files[i], R_OK) != 0) {
            hyla_complain("%s: %s", files[i], errno == ENOENT ? "no such file" : strerror(errno));
            return false;
        } else {
            sending->files[sending->file_count++] = xstrdup(files[i]);
        }
    }
    return count > 0 || read_input(sending);
}

/* --- sending --- */

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    return strncmp(path, "/proc/self/fd/", 14) == 0 || !str_is_utf8(name, strlen(name)) ? "document" : name;
}

static void print_id(struct sending *sending, const struct order *order, const json_t *fax)
{
    int files = sending->file_count + order_has(order, "cover_page.template");
    char *number = text_at(fax, "number");
    if (sending->group == 0)
        sending->group = (int64_t)json_integer_value(json_object_get(fax, "number"));
    printf("request id is %s (group id %lld) for host %s (%d file%s)\n", number, (long long)sending->group,
           hyla_host_name(), files, files == 1 ? "" : "s");
    fflush(stdout);
    free(number);
}

struct waiting {
    char *path, *id;
    json_t *fax;
    int64_t looked_ms; /* 0 = look now */
    bool gone;
};

static bool look(struct waiting *waiting)
{
    json_t *fax = NULL;
    hyla_request(&fax, NULL, "GET", waiting->path, NULL);
    const char *status = json_string_value(json_object_get(fax, "status"));
    bool ended = status != NULL && verdict_is_final(status);
    waiting->looked_ms = clock_mono_ms();
    waiting->gone = client_status(hyla_client()) == 404;
    if (ended)
        waiting->fax = json_incref(fax);
    json_decref(fax);
    return ended || waiting->gone;
}

static bool on_event(const char *type, const json_t *event, void *context)
{
    struct waiting *waiting = context;
    const char *id = json_string_value(json_object_get(json_object_get(event, "data"), "id"));
    (void)type;
    if (id != NULL && strcmp(id, waiting->id) == 0)
        waiting->looked_ms = 0;
    return false;
}

static bool on_tick(void *context)
{
    struct waiting *waiting = context;
    return (waiting->looked_ms == 0 || clock_mono_ms() - waiting->looked_ms >= LOOK_MS) && look(waiting);
}

static bool wait_for_end(const json_t *fax)
{
    struct waiting waiting = {.id = text_at(fax, "id")};
    waiting.path = xasprintf("/v1/faxes/%s", waiting.id);
    if (!look(&waiting))
        client_follow(hyla_client(), on_event, on_tick, TICK_MS, &waiting);
    const char *status = json_string_value(json_object_get(waiting.fax, "status"));
    bool delivered = status != NULL && strcmp(status, "delivered") == 0;
    char *number = text_at(fax, "number"), *why = text_at(waiting.fax, "error.message");
    if (!delivered)
        hyla_complain("Job %s: %s%s%s", number, status != NULL ? status : "what became of it is not known",
                      why[0] != '\0' ? ": " : "", why);
    free(number);
    free(why);
    json_decref(waiting.fax);
    free(waiting.path);
    free(waiting.id);
    return delivered;
}

/* Mail about the outcome is sent where the server can do that; the fax is sent in either case. */
static bool post(json_t **fax, struct sending *sending, struct order *order)
{
    char key[STR_ULID_SIZE];
    struct client *client = hyla_client();
    if (order_send(fax, client, order, str_ulid(key, clock_now_ms())) == VERDICT_OK)
        return true;
    if (client_status(client) != 422 || !order_has(order, "receipt.email") ||
        strstr(client_why(client), "/receipt: ") == NULL)
        return false;
    say(sending, "this server sends no mail about faxes");
    order_set(order, "receipt.email", NULL);
    return order_send(fax, client, order, str_ulid(key, clock_now_ms())) == VERDICT_OK;
}

/* One of them. */
static bool send_job(struct sending *sending, struct order *order)
{
    char group[24];
    json_t *fax = NULL;
    for (int i = 0; i < sending->file_count; i++)
        order_file(order, sending->files[i], name_of(sending->files[i]));
    snprintf(group, sizeof group, "%lld", (long long)sending->group);
    if (sending->group != 0)
        order_set(order, "metadata.group", group);
    bool good = post(&fax, sending, order);
    if (!good)
        hyla_complain("%s", client_why(hyla_client()));
    else
        print_id(sending, order, fax);
    if (good && sending->wait)
        good = wait_for_end(fax);
    json_decref(fax);
    return good;
}

static bool send_all(struct sending *sending)
{
    bool good = true;
    if (sending->job_count == 0) {
        hyla_complain("No destination specified.");
        return false;
    }
    if (hyla_client() == NULL)
        return false;
    if (sending->unused)
        hyla_complain("Unused options after last destination.");
    for (int i = 0; i < sending->job_count; i++)
        good = send_job(sending, &sending->jobs[i]) && good;
    return good;
}

static void clear(struct sending *sending)
{
    for (int i = 0; i < sending->job_count; i++)
        order_clear(&sending->jobs[i]);
    for (int i = 0; i < sending->file_count; i++)
        free(sending->files[i]);
    order_clear(&sending->now.order);
    free(sending->now.mail);
    free(sending->jobs);
    if (sending->input >= 0)
        close(sending->input);
}

int main(int argc, char **argv)
{
    struct sending sending = {.input = -1};
    int found;
    hyla_open("sendfax");
    bool good = take_settings(&sending);
    while (good && (found = getopt(argc, argv, LETTERS)) != -1)
        good = take(&sending, found, optarg);
    good = good && (sending.job_count == 0 || take_files(&sending, argv + optind, argc - optind)) && send_all(&sending);
    clear(&sending);
    hyla_close();
    return good && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
