/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The confined process around a job: limits, sandbox, result. Forked by the spawner for the daemon, by command.c for a
 * person.
 */
#include "config.h"

#include "spool/convert/child.h"

#include <cairo-pdf.h>
#include <errno.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <pango/pangocairo.h>
#include <poppler.h>
#include <signal.h>
#include <stdbool.h>
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

/* Fonts are looked up once for all children. The threads that pango starts for it have ended when the text is there. */
static void warm_text(cairo_t *cairo)
{
    PangoLayout *layout = pango_cairo_create_layout(cairo);
    PangoFontDescription *font = pango_font_description_from_string("DejaVu Sans, sans-serif 8");
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, "0123456789 from to", -1);
    pango_cairo_show_layout(cairo, layout);
    pango_font_description_free(font);
    g_object_unref(layout);
}

/* A loader is a module, and code cannot be mapped any more behind the fence. */
static void warm_pictures(void)
{
    GSList *formats = gdk_pixbuf_get_formats();
    for (const GSList *at = formats; at != NULL; at = at->next) {
        gchar *name = gdk_pixbuf_format_get_name(at->data);
        bool drawing = strncmp(name, "svg", 3) == 0; /* svg.c draws these */
        GdkPixbufLoader *loader = drawing ? NULL : gdk_pixbuf_loader_new_with_type(name, NULL);
        if (loader != NULL) {
            gdk_pixbuf_loader_close(loader, NULL);
            g_object_unref(loader);
        }
        g_free(name);
    }
    g_slist_free(formats);
}

/* Passwords of PDF are tried in Latin-1: its table is a module as well, and stays loaded as long as it is in use. */
static void warm_passwords(void)
{
    static GIConv latin;
    if (latin == NULL)
        latin = g_iconv_open("ISO-8859-1", "UTF-8");
}

/* The smallest document: poppler sets its tables up with the first one. */
static void warm_pdf(void)
{
    static const char document[] = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
                                   "2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
                                   "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
                                   "xref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n"
                                   "0000000101 00000 n \ntrailer<</Root 1 0 R/Size 4>>\nstartxref\n164\n%%EOF\n";
    GBytes *bytes = g_bytes_new_static(document, sizeof document - 1);
    PopplerDocument *pdf = poppler_document_new_from_bytes(bytes, NULL, NULL);
    if (pdf != NULL)
        g_object_unref(pdf);
    g_bytes_unref(bytes);
}

/* What libraries print about a document has a stranger's words in it, and tells nothing that the result does not. */
static void drop_log(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer context)
{
    (void)domain, (void)level, (void)message, (void)context;
}

void child_warm(void)
{
    g_log_set_default_handler(drop_log, NULL);
    tzset(); /* reads a file, which the fence would refuse */
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    xmlInitParser();
    json_object_seed(0); /* wants /dev/urandom */
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(drop, NULL, 72, 72);
    cairo_t *cairo = cairo_create(surface);
    cairo_paint(cairo);
    warm_text(cairo);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    warm_pictures();
    warm_passwords();
    warm_pdf();
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

/* False when nobody waits for the result any more. */
static bool tell_started(int result)
{
    static const char text[] = "{\"started\":true}\n";
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    int error = fdpass_send(result, text, sizeof text - 1, &self, self >= 0 ? 1 : 0);
    if (self >= 0)
        close(self);
    return error != ERR_CLOSED;
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

/* What the libraries that draw read: fonts, their configuration and caches, character maps of PDF, picture loaders. */
static const char *const readable[] = {"/usr/share/fonts",
                                       "/usr/local/share/fonts",
                                       "/etc/fonts",
                                       "/usr/share/fontconfig",
                                       "/var/cache/fontconfig",
                                       "/usr/share/poppler",
                                       "/usr/share/ghostscript",
                                       "/usr/share/mime",
                                       "/usr/share/X11/locale",
                                       "/dev/null",
                                       NULL};

static void tell_progress(void *context, int done, int total, int parts)
{
    const int *result = context;
    char text[80];
    int length = snprintf(text, sizeof text, "{\"progress\":%d,\"total\":%d,\"parts\":%d}\n", done, total, parts);
    if (write(*result, text, (size_t)length) != length)
        log_debug("nobody wants to know how far a conversion is");
}

/* Another program is fenced in by its own rules, right before it is started; whoever draws needs fonts. */
static int enter_fence(struct job *job)
{
    if (job->op == JOB_EXTERNAL)
        return 0;
    if (job->op == JOB_PREPARE || job->op == JOB_COMPOSE || job->op == JOB_RECEIPT ||
        (job->op == JOB_CUT && job->has_header))
        job->limits.readable = readable;
    return sandbox_enter(&job->limits);
}

static int run(struct job *job, const char *text, const int *inputs, int count, int output, int result)
{
    json_error_t where;
    json_t *json = json_loads(text, 0, &where);
    int error = json == NULL ? err_set(ERR_INVALID, "the job is no JSON: %s", where.text) : job_parse(job, json);
    json_decref(json);
    if (error == 0) {
        if (job->op != JOB_EXTERNAL)
            arm(job, result);
        if (!tell_started(result))
            return EXIT_FAILURE;
        job->compose.page.progress = tell_progress;
        job->compose.page.context = &result;
        error = empty_output(output);
    }
    if (error == 0)
        error = enter_fence(job);
    return send_result(result, error != 0 ? job_failure(error, err_message()) : job_run(job, inputs, count, output));
}

int child_run(const char *text, const int *inputs, int count, int output, int result)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return EXIT_FAILURE;
    int status = run(job, text, inputs, count, output, result);
    bool unfenced = job->op == JOB_EXTERNAL;
    job_clear(job);
    free(job);
    if (unfenced) /* what the spawner's libraries keep would be called leaks; behind the fence nobody looks */
        _exit(status);
    return status;
}
