/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxmail: mail becomes faxes. A mail server starts it for each message (pipe), or speaks LMTP to it; faxd is asked by
 * its REST API. contrib/mail/faxmail.8 is the manual. */
#include "config.h"

#include <getopt.h>
#include <curl/curl.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "contrib/mail/delivery.h"
#include "contrib/mail/listener.h"
#include "contrib/mail/message.h"
#include "contrib/mail/pipe.h"
#include "contrib/mail/settings.h"
#include "server/base/err.h"
#include "server/base/log.h"

static const char help[] =
    "Usage: faxmail [OPTION...] --sender ADDRESS -- RECIPIENT...\n"
    "       faxmail [OPTION...] --lmtp [--listen unix:PATH|inet:127.0.0.1:PORT]\n"
    "       faxmail [OPTION...] --check --sender ADDRESS -- RECIPIENT...\n"
    "Make faxes of mail: of the message on standard input, or of those that come by LMTP.\n"
    "\n"
    "  -c, --config FILE      settings (default " SETTINGS_FILE ")\n"
    "  -s, --sender ADDRESS   envelope sender, empty = null\n"
    "      --auth-user USER   who signed in to the mail server, empty = nobody\n"
    "      --client ADDRESS   address of who handed the message in\n"
    "      --lmtp             serve LMTP on the sockets of systemd, or on --listen\n"
    "      --listen ADDRESS   unix:PATH, or inet:ADDRESS:PORT on the loopback\n"
    "      --socket-mode MODE of the socket of a path (default 0660)\n"
    "      --check            print what would become of the message; nothing is sent\n"
    "      --log FILE         log there instead of standard error, or of syslog for a pipe\n"
    "      --help, --version\n"
    "\n"
    "Exit status: 0 done, and the sender was told; 75 try again later; 65, 67, 77 refused, the reason is on\n"
    "standard output and the mail server has to tell it; 64 wrong usage.\n";

enum {
    OPTION_AUTH_USER = 256,
    OPTION_CLIENT,
    OPTION_LMTP,
    OPTION_LISTEN,
    OPTION_MODE,
    OPTION_CHECK,
    OPTION_LOG,
    OPTION_HELP,
    OPTION_VERSION
};

struct arguments {
    const char *config, *sender, *user, *client, *listen, *log;
    bool lmtp, check;
    unsigned mode;
    int status; /* >= 0: leave with it */
};

static int usage(const char *fault)
{
    fprintf(stderr, "faxmail: %s; see faxmail --help\n", fault);
    return EX_USAGE;
}

static void take_option(struct arguments *arguments, int option)
{
    char *end;
    switch (option) {
    case 'c':
        arguments->config = optarg;
        break;
    case 's':
        arguments->sender = optarg;
        break;
    case OPTION_AUTH_USER:
        arguments->user = optarg;
        break;
    case OPTION_CLIENT:
        arguments->client = optarg;
        break;
    case OPTION_LMTP:
        arguments->lmtp = true;
        break;
    case OPTION_LISTEN:
        arguments->listen = optarg;
        break;
    case OPTION_MODE:
        arguments->mode = (unsigned)strtoul(optarg, &end, 8);
        if (*optarg == '\0' || *end != '\0' || arguments->mode > 0777)
            arguments->status = usage("--socket-mode is an octal number like 0660");
        break;
    case OPTION_CHECK:
        arguments->check = true;
        break;
    case OPTION_LOG:
        arguments->log = optarg;
        break;
    case OPTION_HELP:
        arguments->status = fputs(help, stdout) >= 0 ? EX_OK : EX_IOERR;
        break;
    case OPTION_VERSION:
        arguments->status = puts("faxmail " PACKAGE_VERSION) >= 0 ? EX_OK : EX_IOERR;
        break;
    default:
        arguments->status = EX_USAGE;
    }
}

static void parse(struct arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"sender", required_argument, NULL, 's'},
        {"auth-user", required_argument, NULL, OPTION_AUTH_USER},
        {"client", required_argument, NULL, OPTION_CLIENT},
        {"lmtp", no_argument, NULL, OPTION_LMTP},
        {"listen", required_argument, NULL, OPTION_LISTEN},
        {"socket-mode", required_argument, NULL, OPTION_MODE},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"log", required_argument, NULL, OPTION_LOG},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
    };
    int option;
    *arguments = (struct arguments){.config = SETTINGS_FILE, .user = "", .client = "", .mode = 0660, .status = -1};
    while (arguments->status < 0 && (option = getopt_long(argc, argv, "c:s:", options, NULL)) != -1)
        take_option(arguments, option);
    if (arguments->status < 0 && arguments->lmtp && optind < argc)
        arguments->status = usage("with --lmtp recipients come by LMTP");
    else if (arguments->status < 0 && !arguments->lmtp && optind == argc)
        arguments->status = usage("a recipient is missing");
    else if (arguments->status < 0 && !arguments->lmtp && arguments->sender == NULL)
        arguments->status = usage("--sender is missing");
}

/* What a mail server's command writes ends up in bounces: of a pipe only the result is written, the story is told to
 * syslog. */
static void tell_syslog(const struct delivery *delivery)
{
    const char *id = delivery->mail.message_id != NULL ? delivery->mail.message_id : "";
    openlog("faxmail", LOG_PID, LOG_MAIL);
    for (int i = 0; i < delivery->count; i++)
        syslog(LOG_INFO, "message_id=<%.200s> sender=<%.200s> to=<%.200s> status=%s %.400s", id, delivery->sender,
               delivery->recipients[i].address, delivery->recipients[i].status,
               delivery->recipients[i].text != NULL ? delivery->recipients[i].text : err_message());
}

static int run_pipe(const struct arguments *arguments, const struct settings *settings, char **recipients, int count)
{
    struct delivery delivery = {.settings = settings,
                                .sender = arguments->sender,
                                .user = arguments->user,
                                .client = arguments->client,
                                .count = count};
    delivery.recipients = xcalloc((size_t)count, sizeof *delivery.recipients);
    for (int i = 0; i < count; i++)
        delivery.recipients[i].address = recipients[i];
    int status = arguments->check ? pipe_check(&delivery, STDIN_FILENO) : pipe_run(&delivery, STDIN_FILENO);
    if (!arguments->check && arguments->log == NULL)
        tell_syslog(&delivery);
    delivery_clear(&delivery);
    free(delivery.recipients);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct settings settings = {0};
    setlocale(LC_CTYPE, "C.UTF-8");
    parse(&arguments, argc, argv);
    if (arguments.status >= 0)
        return arguments.status;
    log_open("faxmail", arguments.lmtp || arguments.log != NULL ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
    int status = EX_TEMPFAIL; /* a wrong setting is mended, and the mail waits for it */
    if ((arguments.log != NULL && log_to_file(arguments.log) < 0) || settings_read(&settings, arguments.config) < 0) {
        printf("4.3.5 %s\n", err_message());
        log_error("%s", err_message());
    } else {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        message_init();
        status = arguments.lmtp ? listener_run(&settings, arguments.config, arguments.listen, arguments.mode)
                                : run_pipe(&arguments, &settings, argv + optind, argc - optind);
        curl_global_cleanup();
    }
    settings_clear(&settings);
    return status;
}
