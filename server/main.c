/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxd, the fax server: arguments, signals, the first key, and the loop. The route of a fax begins in web/faxes.c. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/base/cipher_keys.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/encryption.h"
#include "server/loop.h"
#include "server/notify.h"
#include "server/password_reset.h"
#include "server/route/route_store.h"
#include "spool/audit.h"
#include "spool/key.h"
#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_KEPT (256ul * 1024)      /* octets for GET /v1/system/log */
#define ANEW     "FAXD_STARTED_ANEW" /* in the environment of a faxd that was started by itself */

enum exit_status { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3 };

struct arguments {
    const char *config, *state, *listen, *make_key, *reset_password;
    bool check, rotate;
};

struct faxd {
    struct arguments arguments;
    struct config config;
    struct loop *loop;
    struct daemon *daemon;
    bool ready, store_failed;
};

static const char help_text[] =
    "Usage: faxd [OPTION]...\n"
    "The fax server: keeps faxes in a store, sends and receives them on its lines, and serves its API.\n\n"
    "  -c, --config FILE          configuration; without one faxd runs the softmodem on its own\n"
    "                             exchange, lines 1001 to 1004, and a simulator for test keys\n"
    "  -s, --state DIR            state folder, instead of the configuration's\n"
    "  -l, --listen ADDRESS:PORT  where the API listens, instead of the configuration's\n"
    "      --check-config         read the configuration, say what is wrong with it, and leave\n"
    "      --example-config       print every key with its default, and leave\n"
    "      --make-key FILE        put a new encryption key above those in FILE, or make the file, and leave\n"
    "      --rotate-documents     encrypt all stored documents with the newest key, and leave; can be interrupted\n"
    "      --reset-password NAME  give a user a new password, print it, and leave; faxd may not run meanwhile\n"
    "  -h, --help                 print this, and leave\n"
    "  -V, --version              print the version, and leave\n\n"
    "Prints \"ready\" when it can be used. At its first start it makes an administrator's API key, prints it,\n"
    "and writes it to DIR/admin.key.\n\n"
    "Signals: TERM takes no new work and leaves when the calls under way have ended; INT aborts them; QUIT\n"
    "leaves them running for the next faxd; HUP reads the configuration again.\n\n"
    "Exit status: 0 left in order; 1 failed, the log says why; 2 wrong usage; 3 wrong configuration.\n";

/* --- arguments --- */

static int usage(const char *message, const char *word)
{
    fprintf(stderr, "faxd: %s%s\nTry faxd --help.\n", message, word);
    return EXIT_USAGE;
}

/* -1 to go on, else the exit status. */
static int arguments_read(struct arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"state", required_argument, NULL, 's'},
                                            {"listen", required_argument, NULL, 'l'},
                                            {"check-config", no_argument, NULL, 'C'},
                                            {"example-config", no_argument, NULL, 'E'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {"make-key", required_argument, NULL, 'K'},
                                            {"rotate-documents", no_argument, NULL, 'R'},
                                            {"reset-password", required_argument, NULL, 'P'},
                                            {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "c:s:l:hV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            arguments->config = optarg;
            break;
        case 's':
            arguments->state = optarg;
            break;
        case 'l':
            arguments->listen = optarg;
            break;
        case 'C':
            arguments->check = true;
            break;
        case 'K':
            arguments->make_key = optarg;
            break;
        case 'R':
            arguments->rotate = true;
            break;
        case 'P':
            arguments->reset_password = optarg;
            break;
        case 'E':
            config_example(stdout);
            return EXIT_OK;
        case 'h':
            fputs(help_text, stdout);
            return EXIT_OK;
        case 'V':
            puts("faxd " PACKAGE_VERSION);
            return EXIT_OK;
        default:
            fputs("Try faxd --help.\n", stderr);
            return EXIT_USAGE;
        }
    }
    return optind < argc ? usage("unexpected argument: ", argv[optind]) : -1;
}

/* The configuration with what the command line puts over it. */
static int config_read(struct config *config, const struct arguments *arguments, FILE *report)
{
    int error = 0;

    if (arguments->config != NULL)
        error = config_load(config, arguments->config, report);
    else
        config_default(config);
    if (error == 0 && arguments->listen != NULL)
        error = config_set_listen(config, arguments->listen);
    if (error == 0 && arguments->state != NULL) {
        free(config->state_dir);
        config->state_dir = xstrdup(arguments->state);
    }
    return error == 0 ? config_check_listen(config) : error;
}

/* A relative state folder becomes absolute: hosts and engines get paths in it. */
static int state_dir_resolve(struct config *config)
{
    char *path;

    if (mkdir(config->state_dir, 0700) != 0 && errno != EEXIST)
        return err_set(ERR_IO, "cannot create the state folder %s: %s", config->state_dir, strerror(errno));
    path = realpath(config->state_dir, NULL);
    if (path == NULL)
        return err_set(ERR_IO, "cannot use the state folder %s: %s", config->state_dir, strerror(errno));
    free(config->state_dir);
    config->state_dir = path;
    return 0;
}

static int log_begin(const struct config *config)
{
    enum log_level level;
    int error = log_level_parse(&level, config->log_level);

    if (error == 0)
        log_set_level(level);
    if (error == 0 && config->log_file[0] != '\0')
        error = log_to_file(config->log_file);
    return error;
}

/* --- the first key --- */

static int write_key(const char *path, const char *token)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = 0;

    if (fd < 0)
        return err_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
    if (fchmod(fd, 0600) != 0 || dprintf(fd, "%s\n", token) < 0 || fsync(fd) != 0)
        error = err_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
    close(fd);
    return error;
}

/* File before row: a crash between the two leaves a file whose key is nobody's, and the next start writes another. */
static int make_first_key(struct spool *spool)
{
    char token[KEY_TOKEN_SIZE];
    char *path = xasprintf("%s/admin.key", spool_state_dir(spool));
    struct key key;
    int count = key_count(spool);
    int error = count < 0 ? count : 0;

    if (count == 0) {
        error = key_create(token, &key, spool, "admin", KEY_ALL, false, 0);
        if (error == 0)
            error = write_key(path, token);
        if (error == 0)
            error = audit_write_server(spool, "key.created", key.public_id, "{\"name\":\"admin\"}");
        if (error == 0)
            error = spool_turn_end(spool);
        if (error == 0)
            printf("administrator's key, shown once and kept in %s: %s\n", path, token);
    }
    free(path);
    return error;
}

/* --- the audit log --- */

/* What the server does by itself. When it cannot be stored the turn will tell, and is void. */
static void note_in_audit_log(struct faxd *faxd, const char *action)
{
    if (audit_write_server(daemon_spool(faxd->daemon), action, "", "{\"version\":\"" PACKAGE_VERSION "\"}") != 0)
        log_error("no entry in the audit log action=%s: %s", action, err_message());
}

/* Whoever keeps the log elsewhere can tell by it that the end of the audit log is missing. */
static void tell_audit_head(struct faxd *faxd)
{
    struct audit_head head;

    audit_head(&head, daemon_spool(faxd->daemon));
    log_info("audit log sequence=%lld hash=%s", (long long)head.sequence, head.hash);
}

static int begin_audit(struct faxd *faxd)
{
    tell_audit_head(faxd);
    note_in_audit_log(faxd, "server.started");
    return spool_turn_end(daemon_spool(faxd->daemon));
}

static void end_audit(struct faxd *faxd)
{
    note_in_audit_log(faxd, "server.stopped");
    if (spool_turn_end(daemon_spool(faxd->daemon)) == 0)
        tell_audit_head(faxd);
}

/* --- signals --- */

static void on_term(void *context)
{
    struct faxd *faxd = context;

    daemon_drain(faxd->daemon);
    notify_stopping(daemon_patience_s(faxd->daemon));
}

static void on_int(void *context)
{
    struct faxd *faxd = context;

    daemon_stop(faxd->daemon);
    notify_stopping(daemon_patience_s(faxd->daemon));
}

static void on_quit(void *context)
{
    struct faxd *faxd = context;

    log_info("leaving; calls under way go on for the next faxd");
    loop_stop(faxd->loop);
}

static void reload(struct faxd *faxd)
{
    struct config config = {0};

    if (config_read(&config, &faxd->arguments, NULL) != 0) {
        log_error("configuration not taken over, the old one stays: %s", err_message());
        note_in_audit_log(faxd, "config.refused");
        config_clear(&config);
        return;
    }
    if (log_begin(&config) != 0)
        log_error("log: %s", err_message());
    daemon_reload(faxd->daemon, &config);
    config_clear(&config);
    log_info("configuration read again");
    note_in_audit_log(faxd, "config.reloaded");
}

static void on_hup(void *context)
{
    struct faxd *faxd = context;

    if (faxd->ready)
        notify_send("RELOADING=1");
    reload(faxd);
    if (faxd->ready)
        notify_send("READY=1");
}

static int signals_set(struct faxd *faxd)
{
    int error = loop_on_signal(faxd->loop, SIGTERM, on_term, faxd);

    if (error == 0)
        error = loop_on_signal(faxd->loop, SIGINT, on_int, faxd);
    if (error == 0)
        error = loop_on_signal(faxd->loop, SIGQUIT, on_quit, faxd);
    return error == 0 ? loop_on_signal(faxd->loop, SIGHUP, on_hup, faxd) : error;
}

/* --- run --- */

static void on_ready(void *context)
{
    struct faxd *faxd = context;

    faxd->ready = true;
    log_info("ready listen=%s:%d state=%s", faxd->config.listen_address, daemon_port(faxd->daemon),
             faxd->config.state_dir);
    if (faxd->config.listen_port == 0)
        printf("listening on port %d\n", daemon_port(faxd->daemon));
    puts("ready");
    fflush(stdout);
    notify_send("READY=1\nSTATUS=ready");
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warning("the limit of open files stays: %s", strerror(errno));
}

static int serve(struct faxd *faxd)
{
    const struct daemon_options options = {
        .config = &faxd->config, .loop = faxd->loop, .version = PACKAGE_VERSION, .ready = on_ready, .context = faxd};
    int error = daemon_open(&faxd->daemon, &options);

    if (error == 0)
        error = make_first_key(daemon_spool(faxd->daemon));
    if (error == 0)
        error = signals_set(faxd);
    if (error == 0)
        error = begin_audit(faxd);
    if (error == 0) {
        error = loop_run(faxd->loop, daemon_spool(faxd->daemon));
        if (error != 0) {
            log_error("the store failed: %s; starting anew", err_message());
            loop_flush(faxd->loop);
            faxd->store_failed = true;
        } else {
            end_audit(faxd);
        }
    }
    daemon_close(faxd->daemon);
    return error;
}

/* A turn that could not be committed: memory may say more than the store. Starting anew makes them one again; calls go
 * on meanwhile in their hosts. When the store cannot even be opened, as on a full disk, that is tried until it can. */
static void start_anew(char **argv, unsigned pause_s)
{
    setenv(ANEW, "1", 1);
    notify_send("WATCHDOG=1\nSTATUS=starting anew, since the store failed");
    sleep(pause_s);
    execv("/proc/self/exe", argv);
    log_error("cannot start anew: %s", strerror(errno));
}

/* --- keys --- */

static int make_key(const char *path)
{
    char id[CIPHER_KEY_ID_SIZE];

    if (cipher_keys_make(id, path) != 0) {
        fprintf(stderr, "faxd: %s\n", err_message());
        return EXIT_FAILED;
    }
    printf("%s: key %s is the newest now\n", path, id);
    return EXIT_OK;
}

static int rotate_documents(struct config *config)
{
    struct document_rotation done = {0};
    int error = state_dir_resolve(config);

    if (error == 0)
        error = log_begin(config);
    if (error == 0)
        error = encryption_rotate(&done, config);
    printf("%lld documents looked at, %lld rewritten, %lld unreadable\n", (long long)done.seen,
           (long long)done.rewritten, (long long)done.unreadable);
    if (error != 0)
        fprintf(stderr, "faxd: %s\n", err_message());
    return error == 0 ? EXIT_OK : EXIT_FAILED;
}

static int reset_password(struct config *config, const char *name)
{
    char password[PASSWORD_RESET_SIZE];
    int error = state_dir_resolve(config);

    if (error == 0)
        error = log_begin(config);
    if (error == 0)
        error = password_reset(password, config, name);
    if (error != 0)
        fprintf(stderr, "faxd: %s\n", err_message());
    else
        printf("new password of %s: %s\n", name, password);
    return error == 0 ? EXIT_OK : EXIT_FAILED;
}

/* --- all of it --- */

static int run(struct faxd *faxd, char **argv)
{
    struct event *watchdog = NULL;
    int error = loop_new(&faxd->loop);

    if (error == 0)
        error = notify_watchdog_new(&watchdog, loop_base(faxd->loop));
    if (error == 0)
        error = state_dir_resolve(&faxd->config);
    if (error == 0)
        error = log_begin(&faxd->config);
    if (error == 0)
        error = serve(faxd);
    if (faxd->store_failed) {
        start_anew(argv, 1);
    } else if (error != 0 && getenv(ANEW) != NULL) {
        log_error("not started anew yet: %s", err_message());
        start_anew(argv, 5);
    } else if (error != 0) {
        log_error("faxd ends: %s", err_message());
    }
    if (watchdog != NULL)
        event_free(watchdog);
    loop_free(faxd->loop);
    return error == 0 ? EXIT_OK : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct faxd faxd = {0};
    int status;

    if (argc == ROUTE_STORE_WORDS && strcmp(argv[1], ROUTE_STORE) == 0) /* we started ourselves */
        return route_store_main(argv);
    status = arguments_read(&faxd.arguments, argc, argv);
    if (status >= 0)
        return status;
    log_open("faxd", LOG_LEVEL_INFO);
    log_keep(LOG_KEPT);
    umask(0077);
    if (faxd.arguments.make_key != NULL)
        return make_key(faxd.arguments.make_key);
    if (config_read(&faxd.config, &faxd.arguments, stderr) != 0) {
        fprintf(stderr, "faxd: %s\n", err_message());
        config_clear(&faxd.config); /* what was read may be right, and the command line wrong */
        return EXIT_CONFIG;
    }
    if (!faxd.arguments.rotate && daemon_check(&faxd.config) != 0) {
        fprintf(stderr, "faxd: %s\n", err_message());
        config_clear(&faxd.config);
        return EXIT_CONFIG;
    }
    if (faxd.arguments.check) {
        printf("%s: fine\n", faxd.arguments.config != NULL ? faxd.arguments.config : "embedded configuration");
        status = EXIT_OK;
    } else if (faxd.arguments.rotate) {
        status = rotate_documents(&faxd.config);
    } else if (faxd.arguments.reset_password != NULL) {
        status = reset_password(&faxd.config, faxd.arguments.reset_password);
    } else {
        raise_descriptor_limit();
        status = run(&faxd, argv);
    }
    config_clear(&faxd.config);
    return status;
}
