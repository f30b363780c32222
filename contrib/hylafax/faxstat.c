/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxstat: lines as modems, and faxes as the queues of HylaFAX: to be sent, done, received. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "contrib/hylafax/hyla.h"
#include "contrib/hylafax/layout.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define JOB_FORMAT   "%-4j %3i %1a %6.6o %-12.12e %5P %5D %7.7z %.25s"
#define RCV_FORMAT   "%-7m %4p%1z %-8.8o %14.14s %7.7t %f"
#define MODEM_FORMAT "Modem %m (%n): %s"

#define WAITING "preparing,held,scheduled,queued,dialing,negotiating,sending,canceling"
#define ENDED   "delivered,partially_delivered,unconfirmed,failed,canceled,expired"
#define NEWEST  500 /* of what has ended and what was received; the rest is for `fax list` */

static const char usage[] = "usage: faxstat [-h server-host] [-F job-format] [-adfgilrsv]\n";

static bool in_local_time;

static char *at(const void *row, const char *path)
{
    char *text = text_at(row, path), *clean = text_clean(text);
    free(text);
    return clean;
}

static bool is(const void *row, const char *key, const char *value)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text != NULL && strcmp(text, value) == 0;
}

static long long count_at(const void *row, const char *key)
{
    return json_integer_value(json_object_get(row, key));
}

static bool split(struct tm *when, const char *rfc3339, int64_t *at_ms)
{
    time_t seconds;
    if (clock_parse(at_ms, rfc3339) != 0)
        return false;
    seconds = (time_t)(*at_ms / 1000);
    return (in_local_time ? localtime_r(&seconds, when) : gmtime_r(&seconds, when)) != NULL;
}

static char *formatted(const char *rfc3339, const char *format)
{
    struct tm when;
    int64_t at_ms;
    char text[64] = "";
    if (split(&when, rfc3339, &at_ms))
        strftime(text, sizeof text, format, &when);
    return xstrdup(text);
}

static char *time_at(const void *row, const char *path, const char *format)
{
    char *text = text_at(row, path), *shown = formatted(text, format);
    free(text);
    return shown;
}

/* --- jobs --- */

static char *job_number(const void *row)
{
    return at(row, "number");
}

static char *job_priority(const void *row)
{
    const char *word = json_string_value(json_object_get(row, "priority"));
    return xasprintf("%d", hyla_priority_number(word != NULL ? word : ""));
}

static char *job_state(const void *row)
{
    const char *status = json_string_value(json_object_get(row, "status"));
    const char *letter = status == NULL                          ? "?"
                         : strcmp(status, "held") == 0           ? "T"
                         : is(row, "reason", "destination_busy") ? "B"
                         : strcmp(status, "scheduled") == 0      ? (count_at(row, "calls") > 0 ? "S" : "P")
                         : strcmp(status, "queued") == 0         ? "W"
                         : strcmp(status, "delivered") == 0      ? "D"
                         : verdict_is_final(status)              ? "F"
                                                                 : "R";
    return xstrdup(letter);
}

static char *job_owner(const void *row)
{
    char *owner = at(row, "metadata.owner");
    if (owner[0] == '\0') {
        free(owner);
        owner = at(row, "metadata.user");
    }
    if (owner[0] == '\0') {
        free(owner);
        owner = xstrdup("faxd"); /* no column may be empty for who takes lines apart */
    }
    return owner;
}

static char *job_to(const void *row)
{
    return at(row, "to");
}

static char *job_pages(const void *row)
{
    const json_t *pages = json_object_get(row, "pages");
    return xasprintf("%lld:%lld", count_at(pages, "confirmed"), count_at(pages, "total"));
}

static char *job_pages_sent(const void *row)
{
    return at(row, "pages.confirmed");
}

static char *job_pages_all(const void *row)
{
    return xasprintf("%lld", count_at(json_object_get(row, "pages"), "total"));
}

static char *job_dials(const void *row)
{
    return xasprintf("%lld:%lld", count_at(row, "calls"), count_at(row, "max_attempts"));
}

static char *job_tries(const void *row)
{
    return xasprintf("%lld:%lld", count_at(row, "attempts"), count_at(row, "max_attempts"));
}

static char *job_calls(const void *row)
{
    return at(row, "calls");
}

static char *job_attempts(const void *row)
{
    return at(row, "attempts");
}

static char *job_most(const void *row)
{
    return at(row, "max_attempts");
}

/* The clock when it is within a day, else the date; nothing when it is now. */
static char *job_tts(const void *row)
{
    char *text = text_at(row, "next_attempt_at");
    struct tm when;
    int64_t at_ms = 0;
    bool ahead = split(&when, text, &at_ms) && at_ms > clock_now_ms();
    char *shown = ahead ? formatted(text, at_ms - clock_now_ms() < 86400000 ? "%H:%M" : "%b%d") : xstrdup("");
    free(text);
    return shown;
}

static char *job_scheduled(const void *row)
{
    return time_at(row, "not_before", "%Y/%m/%d %H.%M.%S");
}

static char *job_kill(const void *row)
{
    return time_at(row, "expires_at", "%Y/%m/%d %H.%M.%S");
}

static char *job_status(const void *row)
{
    char *text = at(row, "error.message");
    if (text[0] == '\0' || is(row, "status", "delivered")) {
        free(text);
        text = at(row, "reason_text");
    }
    return text;
}

static char *job_modem(const void *row)
{
    char *line = at(row, "line");
    if (line[0] != '\0')
        return line;
    free(line);
    return xstrdup("any");
}

static char *job_tag(const void *row)
{
    return at(row, "client_reference");
}

static char *job_id(const void *row)
{
    return at(row, "id");
}

static char *job_group(const void *row)
{
    char *group = at(row, "metadata.group");
    if (group[0] != '\0')
        return group;
    free(group);
    return job_number(row);
}

static char *job_sender(const void *row)
{
    return at(row, "metadata.from");
}

static char *job_receiver(const void *row)
{
    return at(row, "metadata.receiver");
}

static char *job_kind(const void *row)
{
    (void)row;
    return xstrdup("F");
}

static const struct layout_column job_columns[] = {{'j', "JID", job_number},     {'i', "Pri", job_priority},
                                                   {'I', "Pri", job_priority},   {'a', "S", job_state},
                                                   {'o', "Owner", job_owner},    {'e', "Number", job_to},
                                                   {'v', "Number", job_to},      {'P', "Pages", job_pages},
                                                   {'p', "Pgs", job_pages_sent}, {'y', "Pages", job_pages_all},
                                                   {'D', "Dials", job_dials},    {'d', "Dials", job_calls},
                                                   {'x', "Dials", job_most},     {'T', "Tries", job_tries},
                                                   {'t', "Tries", job_attempts}, {'u', "Tries", job_most},
                                                   {'z', "TTS", job_tts},        {'Y', "Date", job_scheduled},
                                                   {'k', "Kill", job_kill},      {'s', "Status", job_status},
                                                   {'m', "Modem", job_modem},    {'J', "JobTag", job_tag},
                                                   {'W', "CommID", job_id},      {'g', "GID", job_group},
                                                   {'S', "Sender", job_sender},  {'R', "Receiver", job_receiver},
                                                   {'X', "T", job_kind},         {'\0', NULL, NULL}};

/* --- received faxes --- */

static char *rcv_mode(const void *row)
{
    (void)row;
    return xstrdup("-rw----");
}

static char *rcv_busy(const void *row)
{
    const char *status = json_string_value(json_object_get(row, "status"));
    return xstrdup(status != NULL && verdict_is_final(status) ? "" : "*");
}

static char *rcv_owner(const void *row)
{
    char *user = at(row, "assigned");
    if (user[0] != '\0')
        return user;
    free(user);
    return xstrdup("faxd");
}

static char *rcv_sender(const void *row)
{
    char *station = at(row, "remote_station_id");
    if (station[0] != '\0')
        return station;
    free(station);
    return at(row, "from");
}

static char *rcv_from(const void *row)
{
    return at(row, "from");
}

/* As HylaFAX has it: the clock within a day, the day of the week within a week, then the date. */
static char *rcv_time(const void *row)
{
    char *text = text_at(row, "timing.created");
    int64_t at_ms = 0;
    clock_parse(&at_ms, text);
    int64_t age = (clock_now_ms() - at_ms) / 1000;
    char *shown = formatted(text, age < 86400 ? "%I:%M%p" : age < 7 * 86400 ? "%a%I%p" : "%d%b%y");
    free(text);
    return shown;
}

static char *rcv_date(const void *row)
{
    return time_at(row, "timing.created", "%Y:%m:%d %H:%M:%S");
}

static char *rcv_file(const void *row)
{
    return xasprintf("fax%09lld.tif", count_at(row, "number"));
}

static char *rcv_error(const void *row)
{
    return at(row, "error.message");
}

static char *rcv_rate(const void *row)
{
    return at(row, "transport.rate_bps");
}

static char *rcv_to(const void *row)
{
    return at(row, "to");
}

static const struct layout_column rcv_columns[] = {
    {'m', "Protect", rcv_mode},  {'p', "Page", job_pages_sent},   {'z', "", rcv_busy},
    {'o', "Owner", rcv_owner},   {'s', "Sender/TSI", rcv_sender}, {'t', "Recvd@", rcv_time},
    {'f', "Filename", rcv_file}, {'Y', "Date", rcv_date},         {'e', "Error", rcv_error},
    {'b', "BR", rcv_rate},       {'j', "CIDNumber", rcv_from},    {'i', "CIDName", rcv_to},
    {'\0', NULL, NULL}};

/* --- modems --- */

static char *modem_host(const void *row)
{
    (void)row;
    return xstrdup(hyla_host_name());
}

static char *modem_name(const void *row)
{
    return at(row, "id");
}

static char *modem_number(const void *row)
{
    return at(row, "number");
}

/* The number of the job on a line, which has its id alone. The caller frees. */
static char *job_on(const void *row)
{
    char *id = text_at(row, "call.fax"), *path = xasprintf("/v1/faxes/%s", id);
    json_t *fax = NULL;
    hyla_request(&fax, NULL, "GET", path, NULL);
    char *number = text_at(fax, "number");
    json_decref(fax);
    free(path);
    free(id);
    return number;
}

static char *modem_status(const void *row)
{
    const json_t *call = json_object_get(row, "call");
    char *reason = at(row, "reason"), *text;
    if (json_is_object(call) && is(call, "direction", "outbound")) {
        char *job = job_on(row);
        text = xasprintf("Sending job %s", job);
        free(job);
    } else if (json_is_object(call)) {
        char *peer = at(call, "peer");
        text = peer[0] != '\0' ? xasprintf("Receiving from \"%s\"", peer) : xstrdup("Receiving facsimile");
        free(peer);
    } else if (is(row, "state", "idle") || is(row, "state", "busy")) {
        text = xstrdup("Running and idle");
    } else {
        text = xasprintf("Not running%s%s", reason[0] != '\0' ? ": " : "", reason);
    }
    free(reason);
    return text;
}

static const struct layout_column modem_columns[] = {{'h', "Host", modem_host},     {'m', "Modem", modem_name},
                                                     {'n', "Number", modem_number}, {'l', "Ident", modem_number},
                                                     {'s', "Status", modem_status}, {'\0', NULL, NULL}};

/* --- lists --- */

static void print_line(const char *format, const struct layout_column *columns, const void *row)
{
    char *line = layout_line(format, columns, row);
    puts(line);
    free(line);
}

static const char *format_of(const char *tag, const char *otherwise)
{
    const char *format = hyla_setting(tag);
    return format != NULL ? format : otherwise;
}

/* Faxes of a list, at most `most`, newest first. NULL and the reason is said. The caller frees. */
static json_t *read_faxes(const char *query, int most)
{
    json_t *all = json_array(), *page = NULL;
    char *cursor = xstrdup("");
    do {
        char *path = xasprintf("/v1/faxes?limit=200&%s%s%s", query, cursor[0] != '\0' ? "&cursor=" : "", cursor);
        json_decref(page);
        bool good = hyla_request(&page, "", "GET", path, NULL);
        free(path);
        free(cursor);
        char *next = text_at(page, "next_cursor");
        cursor = client_escape(next);
        free(next);
        if (!good) {
            json_decref(all);
            free(cursor);
            return NULL;
        }
        json_array_extend(all, json_object_get(page, "data"));
    } while (json_is_true(json_object_get(page, "has_more")) && json_array_size(all) < (size_t)most);
    json_decref(page);
    free(cursor);
    return all;
}

/* Oldest first, as HylaFAX has them. What was done away with by faxrm is not shown any more. */
static bool print_faxes(const char *query, int most, const char *format, const struct layout_column *columns)
{
    json_t *faxes = read_faxes(query, most);
    if (faxes == NULL)
        return false;
    putchar('\n');
    print_line(format, columns, NULL);
    for (size_t i = json_array_size(faxes); i > 0; i--) {
        const json_t *fax = json_array_get(faxes, i - 1);
        if (!json_is_string(json_object_get(fax, "documents_purged_at")))
            print_line(format, columns, fax);
    }
    json_decref(faxes);
    return true;
}

static bool print_server(bool more)
{
    json_t *reply = NULL, *line;
    size_t index;
    if (!hyla_request(&reply, "", "GET", "/v1/lines", NULL))
        return false;
    printf("HylaFAX scheduler on %s: Running\n", hyla_host_name());
    if (more)
        printf("faxd, by its sendfax, faxstat, faxrm and faxalter of version %s\n", PACKAGE_VERSION);
    json_array_foreach(json_object_get(reply, "data"), index, line)
    {
        print_line(format_of("ModemFmt", MODEM_FORMAT), modem_columns, line);
    }
    json_decref(reply);
    return true;
}

int main(int argc, char **argv)
{
    bool done = false, received = false, waiting = false, more = false, good = true;
    const char *format = NULL, *zone;
    int found;
    hyla_open("faxstat");
    zone = hyla_setting("TimeZone");
    in_local_time = zone != NULL && strcasecmp(zone, "local") == 0;
    while ((found = getopt(argc, argv, "h:F:adgfilrsv")) != -1) {
        switch (found) {
        case 'h':
            hyla_host(NULL, optarg);
            break;
        case 'F':
            format = optarg;
            break;
        case 'd':
            done = true;
            break;
        case 'r':
            received = true;
            break;
        case 's':
            waiting = true;
            break;
        case 'i':
            more = true;
            break;
        case 'g':
        case 'l':
            in_local_time = found == 'l';
            break;
        case '?':
            good = false;
            break;
        default: /* nothing is archived, and documents are not in a folder of the server that could be listed */
            break;
        }
    }
    if (!good)
        fputs(usage, stderr);
    if (format == NULL)
        format = format_of("JobFmt", JOB_FORMAT);
    good = good && print_server(more) &&
           (!waiting || print_faxes("direction=outbound&status=" WAITING, 100000, format, job_columns)) &&
           (!done || print_faxes("direction=outbound&status=" ENDED, NEWEST, format, job_columns)) &&
           (!received || print_faxes("direction=inbound", NEWEST, format_of("RcvFmt", RCV_FORMAT), rcv_columns));
    hyla_close();
    return good && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
