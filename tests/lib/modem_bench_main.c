/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program modem_bench: fax modems without hardware. See help() below; commands are in modem_command.h. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "tests/lib/modem_bench.h"
#include "tests/lib/modem_command.h"

#define PATH_SIZE   256
#define LINE_SIZE   512
#define PRINT_MAX   (1 << 20) /* octets that nobody has read yet */
#define NUMBERS_MAX 64
#define EXIT_USAGE  2

/* What is to be printed: the bench's thread may not wait for whoever reads. */
struct printer {
    pthread_mutex_t lock;
    int bell;
    char *text;
    size_t length; /* under the lock, with text and lost */
    int lost;
};

struct arguments {
    struct modem_bench_options bench;
    const char *folder;
    const char *numbers[NUMBERS_MAX]; /* NUMBER=BEHAVIOUR */
    int number_count;
};

static void help(FILE *out)
{
    fputs(
        "Usage: modem_bench --folder DIR [OPTION]... NUMBER...\n"
        "\n"
        "Fax modems without hardware: each NUMBER gets a pseudo-terminal at DIR/NUMBER that behaves as a Class 1\n"
        "modem (ITU-T T.31). They can call one another, in real time.\n"
        "\n"
        "  --folder DIR           where the links to the devices are made\n"
        "  --delay-ms N           delay of the line, each way, 0 to 2000 (0)\n"
        "  --noise DBM0           noise that both ends hear, -90 to -3, or off (off)\n"
        "  --seed N               of all that is random (1)\n"
        "  --realtime             ask for real-time scheduling\n"
        "  --number NUMBER=WORD   a number that is busy, no_answer, reorder, nobody, voice or silent\n"
        "  --help\n"
        "\n"
        "What happens is printed as lines of JSON, first {\"event\":\"ready\"}. Standard input takes commands, one a\n"
        "line; each is answered by {\"event\":\"done\"} or {\"event\":\"error\",\"message\":\"...\"}:\n"
        "\n"
        "  drop NUMBER after MS               interrupt NUMBER after MS for MS\n"
        "  noise DBM0|off                     delay MS\n"
        "  level NUMBER DB                    number NUMBER WORD\n"
        "  ring NUMBER from CALLER [name NAME] [times N] [ring 1|2|3] [did DIGITS]\n"
        "  make NUMBER usr|multitech|conexant|agere|zoom|spandsp|old|data\n"
        "  fault NUMBER garbage N | echo on|off | lose_connect [N] | lose_ok [N] | fcerror [N] | slow MS |\n"
        "               stop MS | stop_xoff MS | hang on|off | vanish | return | no_dialtone on|off |\n"
        "               no_carrier_early on|off | ok_before_connect on|off\n"
        "  stats                              print turnaround times and counts\n"
        "\n"
        "It ends with its standard input, or by SIGTERM or SIGINT. Exit status: 0; 1 when it cannot start; 2 for a\n"
        "wrong command line.\n",
        out);
}

/* ---- printing ---- */

static void print(struct printer *printer, const char *line)
{
    size_t length = strlen(line);
    const uint64_t ring = 1;

    pthread_mutex_lock(&printer->lock);
    if (printer->length + length + 1 > PRINT_MAX) {
        printer->lost++;
    } else {
        memcpy(printer->text + printer->length, line, length);
        printer->text[printer->length + length] = '\n';
        printer->length += length + 1;
    }
    pthread_mutex_unlock(&printer->lock);
    if (write(printer->bell, &ring, sizeof ring) < 0)
        log_warning("cannot ring for the printer: %s", strerror(errno));
}

static void on_event(void *user, const char *line)
{
    print(user, line);
}

/* Write out what is there. A reader that has gone is as good as the end of the input. */
static bool write_out(struct printer *printer, char *room)
{
    uint64_t rung;
    size_t length, done = 0;
    ssize_t put;

    if (read(printer->bell, &rung, sizeof rung) < 0 && errno != EAGAIN)
        return false;
    pthread_mutex_lock(&printer->lock);
    length = printer->length;
    memcpy(room, printer->text, length);
    printer->length = 0;
    pthread_mutex_unlock(&printer->lock);
    while (done < length) {
        put = write(STDOUT_FILENO, room + done, length - done);
        if (put < 0 && errno != EINTR)
            return false;
        done += put > 0 ? (size_t)put : 0;
    }
    return true;
}

static void print_stats(struct printer *printer, struct modem_bench *bench)
{
    struct modem_bench_stats stats;
    char line[LINE_SIZE];

    modem_bench_stats(bench, &stats);
    snprintf(line, sizeof line,
             "{\"event\":\"stats\",\"turnarounds\":%lld,\"turnaround_max_us\":%lld,\"turnaround_p999_us\":%lld,"
             "\"calls\":%d,\"connected\":%d,\"underruns\":%d,\"late_chunks\":%d,\"lost_octets\":%lld,\"ticks\":%lld,"
             "\"tick_late_max_us\":%lld,\"held_us\":%lld}",
             (long long)stats.turnarounds, (long long)stats.turnaround_max_us, (long long)stats.turnaround_p999_us,
             stats.calls, stats.connected, stats.underruns, stats.late_chunks, (long long)stats.lost_octets,
             (long long)stats.ticks, (long long)stats.tick_late_max_us, (long long)stats.held_us);
    print(printer, line);
}

static void print_error(struct printer *printer, const char *message)
{
    char line[2 * LINE_SIZE + 64] = "{\"event\":\"error\",\"message\":\"";
    size_t at = strlen(line);

    for (; *message && at + 4 < sizeof line; message++) {
        if (*message == '"' || *message == '\\')
            line[at++] = '\\';
        line[at++] = (char)(*message >= ' ' && *message <= '~' ? *message : '?');
    }
    strcpy(line + at, "\"}");
    print(printer, line);
}

/* ---- commands ---- */

static void run_command(struct printer *printer, struct modem_bench *bench, const char *line)
{
    if (strcmp(line, "stats") == 0)
        print_stats(printer, bench);
    else if (modem_bench_command(bench, line) == 0)
        print(printer, "{\"event\":\"done\"}");
    else
        print_error(printer, err_message());
}

/* False at the end of the input. Of a line that is too long the beginning is kept, which makes a wrong command. */
static bool read_commands(struct printer *printer, struct modem_bench *bench)
{
    static char line[LINE_SIZE];
    static size_t length;
    char input[LINE_SIZE];
    ssize_t got = read(STDIN_FILENO, input, sizeof input), i;

    for (i = 0; i < got; i++) {
        if (input[i] == '\n') {
            line[length] = '\0';
            length = 0;
            run_command(printer, bench, line);
        } else if (length < sizeof line - 1) {
            line[length++] = input[i];
        }
    }
    return got > 0 || (got < 0 && errno == EINTR);
}

static int signals(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void serve(struct printer *printer, struct modem_bench *bench, int signal_fd)
{
    struct pollfd polled[] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = signal_fd, .events = POLLIN},
        {.fd = printer->bell, .events = POLLIN},
    };
    char *room = xmalloc(PRINT_MAX);
    bool goes_on = true;

    while (goes_on) {
        if (poll(polled, 3, -1) < 0)
            continue;
        if (polled[2].revents)
            goes_on = write_out(printer, room);
        if (polled[0].revents)
            goes_on = read_commands(printer, bench) && goes_on;
        if (polled[1].revents)
            goes_on = false;
    }
    print_stats(printer, bench);
    write_out(printer, room);
    if (printer->lost > 0)
        log_warning("%d lines were not printed, since nobody read them", printer->lost);
    free(room);
}

/* ---- starting ---- */

static int parse_option(struct arguments *arguments, int option, const char *value)
{
    int64_t seed;

    switch (option) {
    case 'f':
        arguments->folder = value;
        return 0;
    case 'd':
        return modem_command_parse_delay(&arguments->bench.delay_ms, value);
    case 'n':
        return modem_command_parse_noise(&arguments->bench.noise_dbm0, value);
    case 's':
        if (str_to_int(&seed, value, 0, UINT32_MAX) < 0)
            return err_set(ERR_INVALID, "a seed is 0 to %u", UINT32_MAX);
        arguments->bench.seed = (unsigned)seed;
        return 0;
    case 'r':
        arguments->bench.realtime = true;
        return 0;
    case 'N':
        if (arguments->number_count == NUMBERS_MAX)
            return err_set(ERR_INVALID, "at most %d numbers", NUMBERS_MAX);
        arguments->numbers[arguments->number_count++] = value;
        return 0;
    default:
        return err_set(ERR_INVALID, "see modem_bench --help");
    }
}

static int parse_arguments(struct arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {
        {"folder", required_argument, NULL, 'f'}, {"delay-ms", required_argument, NULL, 'd'},
        {"noise", required_argument, NULL, 'n'},  {"seed", required_argument, NULL, 's'},
        {"realtime", no_argument, NULL, 'r'},     {"number", required_argument, NULL, 'N'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int option, result = 0;

    while (result == 0 && (option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        if (option == 'h') {
            help(stdout);
            exit(EXIT_SUCCESS);
        }
        result = parse_option(arguments, option, optarg);
    }
    if (result == 0 && !arguments->folder)
        return err_set(ERR_INVALID, "--folder is missing: see modem_bench --help");
    return result;
}

static int add_numbers(struct modem_bench *bench, const struct arguments *arguments, char **modems)
{
    char text[PATH_SIZE], *word;
    int i, result = 0;

    for (i = 0; i < arguments->number_count && result == 0; i++) {
        str_copy(text, sizeof text, arguments->numbers[i]);
        word = strchr(text, '=');
        if (!word)
            return err_set(ERR_INVALID, "--number %s: it goes NUMBER=WORD", text);
        *word++ = '\0';
        result = modem_bench_number(bench, text, word);
    }
    for (; *modems && result == 0; modems++) {
        if (snprintf(text, sizeof text, "%s/%s", arguments->folder, *modems) >= (int)sizeof text)
            return err_set(ERR_TOO_BIG, "%s: the path is too long", arguments->folder);
        result = modem_bench_add_modem(bench, *modems, text);
    }
    return result;
}

static int fail(int status)
{
    fprintf(stderr, "modem_bench: %s\n", err_message());
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.bench = {.noise_dbm0 = (double)NAN, .seed = 1}};
    struct printer printer = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct modem_bench *bench = NULL;
    int signal_fd = -1, status = EXIT_SUCCESS;

    log_open("modem_bench", LOG_LEVEL_INFO);
    if (parse_arguments(&arguments, argc, argv) < 0)
        return fail(EXIT_USAGE);
    signal_fd = signals();
    printer.text = xmalloc(PRINT_MAX);
    printer.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    arguments.bench.event = on_event;
    arguments.bench.user = &printer;
    if (modem_bench_open(&bench, &arguments.bench) < 0) {
        status = fail(EXIT_FAILURE);
    } else if (add_numbers(bench, &arguments, argv + optind) < 0) {
        status = fail(EXIT_FAILURE);
    } else {
        print(&printer, "{\"event\":\"ready\"}");
        serve(&printer, bench, signal_fd);
    }
    modem_bench_close(bench);
    close(printer.bell);
    close(signal_fd);
    free(printer.text);
    return status;
}
