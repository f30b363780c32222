/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The confined process around a job: limits, sandbox, result. Forked by the spawner for the daemon, by command.c for a
 * person.
 */
#include "config.h"

#include "spool/convert/child.h"

#include <cairo-pdf.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <tiffio.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/fdpass.h"
#include "server/base/log.h"
#include "spool/convert/job.h"

/* What a signal handler says, made ready before it may run. */
static struct {
    int fd;
    char cpu[200];
    char wall[200];
} last_words = {.fd = -1};

static cairo_status_t drop(void *closure, const unsigned char *data, unsigned length)
{
    (void)closure, (void)data, (void)length;
    return CAIRO_STATUS_SUCCESS;
}

void child_warm(void)
{
    tzset(); /* reads a file, which the fence would refuse */
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    json_object_seed(0); /* wants /dev/urandom */
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(drop, NULL, 72, 72);
    cairo_t *cairo = cairo_create(surface);
    cairo_paint(cairo);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
}

/* Only calls that are safe in a signal handler. */
static void out_of_time(int signal_number)
{
    const char *text = signal_number == SIGXCPU ? last_words.cpu : last_words.wall;
    ssize_t put = write(last_words.fd, text, strlen(text));
    _exit(put > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void arm(const struct job *job, int result)
{
    static const char *const format = "{\"error\":\"conversion_failed\",\"message\":\"the document takes more than %u "
                                      "seconds%s to convert: send it in parts\"}\n";
    last_words.fd = result;
    snprintf(last_words.cpu, sizeof last_words.cpu, format, job->limits.cpu_s, " of computing");
    snprintf(last_words.wall, sizeof last_words.wall, format, job->wall_s, "");
    struct sigaction action = {.sa_handler = out_of_time};
    sigaction(SIGXCPU, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* EFBIG tells as well */
    signal(SIGPIPE, SIG_IGN);
    alarm(job->wall_s);
}

static void tell_started(int result)
{
    static const char text[] = "{\"started\":true}\n";
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fdpass_send(result, text, sizeof text - 1, &self, self >= 0 ? 1 : 0) != 0)
        log_debug("nobody wants to know that a conversion started: %s", err_message());
    if (self >= 0)
        close(self);
}

static int send_result(int result, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(json);
    if (text == NULL)
        return EXIT_FAILURE;
    size_t length = strlen(text);
    text[length] = '\n'; /* in place of the end: one datagram is one write */
    ssize_t put = write(result, text, length + 1);
    free(text);
    return put == (ssize_t)length + 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int empty_output(int output)
{
    if (ftruncate(output, 0) != 0 || lseek(output, 0, SEEK_SET) != 0)
        return err_set(ERR_IO, "cannot write the output: %s", strerror(errno));
    return 0;
}

int child_run(const char *text, int input, int output, int result)
{
    struct job job;
    json_error_t where;
    json_t *json = json_loads(text, 0, &where);
    int error = json == NULL ? err_set(ERR_INVALID, "the job is no JSON: %s", where.text) : job_parse(&job, json);
    json_decref(json);
    if (error == 0) {
        arm(&job, result);
        tell_started(result);
        error = empty_output(output);
    }
    if (error == 0)
        error = sandbox_enter(&job.limits);
    if (error != 0)
        return send_result(result, job_failure(error, err_message()));
    return send_result(result, job_run(&job, input, output));
}
