/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxd-fsp: the host of one fax service provider. Command line, configuration, start order and exit status. */
#include "config.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "server/fsphost/heap.h"
#include "server/fsphost/provider.h"
#include "server/fsphost/server.h"
#include "server/fsphost/settings.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_LEFT = 0, EXIT_USE = 1, EXIT_REFUSED = 2, EXIT_HUNG = 3 };

struct arguments {
    const char *name, *module, *socket_path;
    int config_fd; /* -1: no configuration */
    int64_t abort_grace_s, orphan_grace_s;
    enum log_level level;
};

static const char help_text[] =
    "Usage: faxd-fsp --name NAME --module PATH --socket PATH [OPTION]...\n"
    "The host of one fax service provider. faxd starts one for each provider of its configuration.\n\n"
    "  --name NAME             of the provider, for the log\n"
    "  --module PATH           its module, a shared object\n"
    "  --socket PATH           where to listen for faxd\n"
    "  --config-fd N           a descriptor to read the provider's lines and settings from, as JSON\n"
    "  --abort-grace SECONDS   an operation that ignores its abort for so long costs its line (60)\n"
    "  --orphan-grace SECONDS  without faxd for so long, the host leaves after its calls (60)\n"
    "  --log-level LEVEL       error, warning, info (default) or debug\n"
    "  --help                  print this, and leave\n"
    "  --version               print the version, and leave\n\n"
    "Signals: TERM and INT abort the calls and leave; HUP is ignored.\n\n"
    "Exit status: 0 left in order; 1 wrong use or no socket; 2 the provider refused to start, the log says why;\n"
    "3 left while a call into the provider did not return.\n";

static int usage(void)
{
    fputs("faxd-fsp: --name, --module and --socket are wanted, and nothing but options\nTry faxd-fsp --help.\n",
          stderr);
    return ERR_INVALID;
}

static const struct option options[] = {
    {"name", required_argument, NULL, 'n'},        {"module", required_argument, NULL, 'm'},
    {"socket", required_argument, NULL, 's'},      {"config-fd", required_argument, NULL, 'c'},
    {"abort-grace", required_argument, NULL, 'a'}, {"orphan-grace", required_argument, NULL, 'o'},
    {"log-level", required_argument, NULL, 'l'},   {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},           {NULL, 0, NULL, 0},
};

static int argument_take(struct arguments *arguments, int option, const char *value)
{
    int64_t number;
    int result = 0;
    switch (option) {
    case 'n':
        arguments->name = value;
        break;
    case 'm':
        arguments->module = value;
        break;
    case 's':
        arguments->socket_path = value;
        break;
    case 'c':
        result = str_to_int(&number, value, 0, INT32_MAX);
        arguments->config_fd = result ? -1 : (int)number;
        break;
    case 'a':
        result = str_to_int(&arguments->abort_grace_s, value, 1, 86400);
        break;
    case 'o':
        result = str_to_int(&arguments->orphan_grace_s, value, 1, 86400);
        break;
    case 'l':
        result = log_level_parse(&arguments->level, value);
        break;
    case 'h':
        fputs(help_text, stdout);
        exit(EXIT_LEFT);
    case 'V':
        puts("faxd-fsp " PACKAGE_VERSION);
        exit(EXIT_LEFT);
    default:
        return ERR_INVALID; /* getopt has said why */
    }
    if (result)
        fprintf(stderr, "faxd-fsp: %s\n", err_message());
    return result;
}

static int arguments_read(struct arguments *arguments, int argc, char **argv)
{
    int option;
    *arguments =
        (struct arguments){.config_fd = -1, .abort_grace_s = 60, .orphan_grace_s = 60, .level = LOG_LEVEL_INFO};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        int result = argument_take(arguments, option, optarg);
        if (result)
            return result;
    }
    if (!arguments->name || !arguments->module || !arguments->socket_path || optind != argc)
        return usage();
    return 0;
}

/* Signals go to the I/O thread's signalfd; SIGHUP ends neither a host whose faxd's terminal closes nor its calls.
 * Threads inherit the mask, those of the FSP too. */
static void signals_set(void)
{
    sigset_t mask;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
}

static void heap_fault(const char *text)
{
    log_warning("fault: %s", text);
}

static int settings_open(struct settings **settings, int fd)
{
    if (fd < 0)
        return settings_parse(settings, "{}");
    int result = settings_read(settings, fd);
    close(fd);
    return result;
}

static void program_name_set(const char *name)
{
    char program[64];
    snprintf(program, sizeof(program), "faxd-fsp[%.50s]", name);
    log_open(program, LOG_LEVEL_INFO);
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct settings *settings = NULL;
    struct provider *provider = NULL;
    bool hung = false;

    if (arguments_read(&arguments, argc, argv))
        return EXIT_USE;
    program_name_set(arguments.name);
    log_set_level(arguments.level);
    signals_set();
    heap_on_fault(heap_fault);
    int result = settings_open(&settings, arguments.config_fd);
    if (!result)
        result = provider_start(&provider, arguments.module, settings);
    if (result) {
        log_error("the provider does not start: %s module=%s", err_message(), arguments.module);
        _exit(EXIT_REFUSED); /* threads of the FSP may be running */
    }
    const struct server_options server = {
        .name = arguments.name,
        .socket_path = arguments.socket_path,
        .abort_grace_ms = arguments.abort_grace_s * 1000,
        .orphan_grace_ms = arguments.orphan_grace_s * 1000,
    };
    bool can_end_threads = provider->fsp.shutdown != NULL;
    result = server_run(&server, provider, &hung);
    if (result) {
        log_error("cannot serve: %s", err_message());
        _exit(EXIT_USE);
    }
    if (hung)
        _exit(EXIT_HUNG);
    settings_free(settings);
    if (!can_end_threads)
        _exit(EXIT_LEFT); /* no destructors under the feet of the FSP's threads */
    return EXIT_LEFT;
}
