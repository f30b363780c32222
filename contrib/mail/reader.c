/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child reads and writes down what it found as JSON; nothing it says is believed but as data. */
#include "config.h"

#include "contrib/mail/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contrib/mail/incoming.h"
#include "contrib/mail/mail.h"
#include "contrib/mail/message.h"
#include "contrib/mail/settings.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/sandbox.h"

#define REPORT_MAX  (1 << 20)
#define TOO_LARGE   (1 << 20) /* so much of a message that is too large is read, to know whom to tell */
#define WALL_CLOCKS 6         /* longest time as a multiple of the longest CPU time: the machine may be busy */

enum { EXIT_READ = 0, EXIT_FENCE = 3, EXIT_REPORT = 4 };

static int by_number(const void *one, const void *other)
{
    return *(const int *)one - *(const int *)other;
}

/* Close what is neither standard nor one of these. */
static void keep_only(int keep[], size_t count)
{
    int from = STDERR_FILENO + 1;
    qsort(keep, count, sizeof *keep, by_number);
    for (size_t i = 0; i < count; i++) {
        if (keep[i] > from)
            close_range((unsigned)from, (unsigned)keep[i] - 1, 0);
        if (keep[i] >= from)
            from = keep[i] + 1;
    }
    close_range((unsigned)from, UINT_MAX, 0);
}

static void wipe(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
}

/* What breaks the reader finds neither secrets nor a connection in it. */
static void strip(const struct settings *settings, int in, int out, int report)
{
    int keep[] = {in, out, report}, nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    wipe(settings->key);
    wipe(settings->smarthost_password);
    dup2(nothing, STDIN_FILENO);
#ifndef FAXD_SANITIZED
    /* What libraries say at their end would stand in front of the result that the mail server reads. */
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
#endif
    keep_only(keep, sizeof keep / sizeof *keep);
}

/* In the child: never returns. */
static void read_behind_fence(const struct settings *settings, int in, int out, int report)
{
    const struct sandbox_limits limits = {
        .address_space_bytes = (unsigned long)settings->memory_mib << 20,
        .cpu_s = (unsigned)settings->cpu_s,
        .file_bytes = ((unsigned long)settings->max_message_mib << 21) + (4 << 20),
    };
    struct mail mail;
    strip(settings, in, out, report);
    signal(SIGXFSZ, SIG_IGN); /* a file that is full is told by write() */
    signal(SIGTERM, SIG_DFL);
    alarm((unsigned)(WALL_CLOCKS * settings->cpu_s));
    if (sandbox_enter(&limits) < 0)
        _exit(EXIT_FENCE);
    mail_init(&mail);
    message_read(&mail, settings, in, out);
    json_t *json = mail_to_json(&mail);
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    size_t size = text != NULL ? strlen(text) : 0;
    _exit(text != NULL && pwrite(report, text, size, 0) == (ssize_t)size ? EXIT_READ : EXIT_REPORT);
}

static int read_report(struct mail *mail, int report, int documents)
{
    char *text = xmalloc(REPORT_MAX);
    ssize_t got = pread(report, text, REPORT_MAX, 0);
    json_t *json = got > 0 ? json_loadb(text, (size_t)got, 0, NULL) : NULL;
    off_t limit = lseek(documents, 0, SEEK_END);
    int result = json != NULL ? mail_from_json(mail, json, limit) : ERR_INVALID;
    if (json == NULL)
        mail_init(mail);
    json_decref(json);
    free(text);
    return result;
}

static int wait_for(int *status, pid_t child)
{
    while (waitpid(child, status, 0) < 0) {
        if (errno != EINTR)
            return err_set(ERR_IO, "cannot wait for the reader: %s", strerror(errno));
    }
    return 0;
}

/* Why a child that has left no report ended. */
static void refuse_broken(struct mail *mail, const struct settings *settings, int status)
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    log_warning("a message could not be read: the reader ended with status %d, signal %d",
                WIFEXITED(status) ? WEXITSTATUS(status) : -1, number);
    if (number == SIGXCPU || number == SIGALRM || number == SIGKILL)
        mail_refuse(mail, "5.6.0", "the message takes longer to read than %d s; it may be damaged or made so",
                    settings->cpu_s);
    else
        mail_refuse(mail, "5.6.0", "the message cannot be read within %d MiB of memory; it may be damaged or made so",
                    settings->memory_mib);
}

static int run(struct mail *mail, int documents, int report, const struct settings *settings, int in)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        read_behind_fence(settings, in, documents, report);
    if (child < 0) {
        mail_init(mail);
        return err_set(ERR_IO, "cannot start the reader: %s", strerror(errno));
    }
    int result = wait_for(&status, child);
    if (result == 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_READ)
        return read_report(mail, report, documents);
    mail_init(mail);
    if (result == 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FENCE)
        result = err_set(ERR_INTERNAL, "the reader could not be fenced in");
    if (result == 0)
        refuse_broken(mail, settings, status);
    return result;
}

int reader_run(struct mail *mail, int *documents, const struct settings *settings, const struct incoming *incoming)
{
    int report = memfd_create("faxmail report", MFD_CLOEXEC), result = 0;
    *documents = incoming_file(settings);
    if (report < 0 || *documents < 0 || (incoming_is_too_large(incoming) && ftruncate(incoming->fd, TOO_LARGE) != 0)) {
        mail_init(mail);
        result = err_set(ERR_IO, "cannot make a file: %s", strerror(errno));
    } else {
        result = run(mail, *documents, report, settings, incoming->fd);
    }
    if (result == 0 && incoming_is_too_large(incoming)) {
        mail->refusal[0] = mail->status[0] = '\0';
        mail_refuse(mail, "5.3.4", "the message is too large: %lld MiB, and %d MiB are allowed",
                    (long long)(incoming->size >> 20), settings->max_message_mib);
    }
    if (report >= 0)
        close(report);
    return result;
}
