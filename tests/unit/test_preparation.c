/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about uploads on their way to a fax in all its forms, with the real converter, its sandbox and a real spool. */
#include "config.h"

#include "tests/lib/facts.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/converter.h"
#include "spool/preparation.h"
#include "spool/submit.h"
#include "tests/lib/spool_facts.h"
#include "tests/lib/tiff_facts.h"

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

#define WAIT_MS     120000
#define LONG_PAGES  40
#define UPLOADS_MAX 4

/* ---- helpers ---- */

struct bench {
    char dir[64], work[64], output[64];
    struct event_base *base;
    struct spool *spool;
    struct converter *converter;
};

/* What done() was told; the files of forms are kept. */
struct outcome {
    struct bench *bench;
    struct preparation *preparation;
    int calls, error, count;
    char fault[64], message[400];
    struct {
        struct rendition rendition;
        int pages, width, fd;
        char sha[DOCUMENT_SHA_SIZE];
    } forms[RENDITIONS_MAX];
    int progress_calls, done_pages, total_pages, most_running;
};

/* What to prepare; what is 0 or NULL has its default. */
struct order {
    const char *documents[UPLOADS_MAX]; /* of tests/data/documents, or paths */
    const char *info[UPLOADS_MAX];
    const char *options, *cover, *programs;
    int pages_max;
    bool kept; /* documents of the store, which a fax names */
    bool only_first;
};

static void converter_again(struct bench *bench, const char *program)
{
    char path[4096];
    const char *build = getenv("FAXD_BUILD");
    snprintf(path, sizeof(path), "%s/faxd-convert", build ? build : ".");
    converter_close(bench->converter);
    assert_int_equal(converter_open(&bench->converter, bench->base, program ? program : path, 2), 0);
}

static int setup(void **state)
{
    struct bench *bench = xcalloc(1, sizeof(*bench));
    log_set_level(LOG_LEVEL_ERROR);
    spool_facts_make_dir(bench->dir);
    spool_facts_make_dir(bench->work);
    assert_int_equal(chmod(bench->work, 0711), 0); /* other programs run as nobody */
    close(facts_temporary_file(bench->output));
    bench->base = event_base_new();
    struct spool_options options = {.state_dir = bench->dir, .min_free_bytes = 1, .base = bench->base};
    assert_int_equal(spool_open(&bench->spool, &options), 0);
    converter_again(bench, NULL);
    *state = bench;
    return 0;
}

static int files_in(const char *folder)
{
    int count = 0;
    DIR *open_folder = opendir(folder);
    assert_non_null(open_folder);
    for (const struct dirent *entry; (entry = readdir(open_folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(open_folder);
    return count;
}

static int temporary_files(const struct bench *bench)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/documents/tmp", bench->dir);
    return files_in(path);
}

/* Whatever a fact was about: nothing is left behind. */
static int teardown(void **state)
{
    struct bench *bench = *state;
    converter_close(bench->converter);
    assert_int_equal(spool_turn_end(bench->spool), 0);
    assert_int_equal(temporary_files(bench), 0);
    assert_int_equal(files_in(bench->work), 0);
    spool_close(bench->spool);
    event_base_free(bench->base);
    spool_facts_remove_dir(bench->dir);
    spool_facts_remove_dir(bench->work);
    unlink(bench->output);
    free(bench);
    return 0;
}

static const char *path_of(const char *document)
{
    static char path[4096];
    const char *source = getenv("FAXD_SRC");
    if (*document == '/')
        return document;
    snprintf(path, sizeof(path), "%s/tests/data/documents/%s", source ? source : ".", document);
    return path;
}

static void on_done(void *context, int error, const char *fault, const char *message, struct preparation_form *forms,
                    int count)
{
    struct outcome *outcome = context;
    outcome->calls++;
    outcome->error = error;
    outcome->count = count;
    str_copy(outcome->fault, sizeof(outcome->fault), fault);
    str_copy(outcome->message, sizeof(outcome->message), message);
    for (int i = 0; i < count; i++) {
        outcome->forms[i].rendition = forms[i].rendition;
        outcome->forms[i].pages = forms[i].pages;
        outcome->forms[i].width = forms[i].width;
        str_copy(outcome->forms[i].sha, sizeof(outcome->forms[i].sha), forms[i].sha);
        outcome->forms[i].fd = *forms[i].sha ? document_open(outcome->bench->spool, forms[i].sha) : dup(forms[i].fd);
        assert_true(outcome->forms[i].fd >= 0);
    }
}

static void on_progress(void *context, int done, int total)
{
    struct outcome *outcome = context;
    int waiting, running;
    converter_count(outcome->bench->converter, &waiting, &running);
    outcome->progress_calls++;
    assert_true(total < 0 || done <= total);
    outcome->done_pages = done;
    outcome->total_pages = total;
    outcome->most_running = running > outcome->most_running ? running : outcome->most_running;
}

static json_t *object(const char *text)
{
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;
    assert_true(!text || json);
    return json;
}

/* As a request does: the document is stored, and a fax is made of it. */
static void keep(char sha[DOCUMENT_SHA_SIZE], struct spool *spool, int fd)
{
    struct fax fax;
    assert_int_equal(document_copy(sha, spool, fd), 0);
    struct submit_request request = {.to = "+4930111", .priority = FAX_NORMAL, .original = sha};
    assert_int_equal(submit(&fax, spool, &request), 0);
    fax_clear(&fax);
    assert_int_equal(spool_turn_end(spool), 0);
}

static int begin(struct outcome *outcome, struct bench *bench, const struct order *order)
{
    struct preparation_upload uploads[UPLOADS_MAX] = {0};
    json_t *options = object(order->options), *programs = object(order->programs), *fields = object("{\"note\":\"x\"}");
    *outcome = (struct outcome){.bench = bench};
    struct preparation_request request = {.spool = bench->spool,
                                          .converter = bench->converter,
                                          .options = options,
                                          .programs = programs,
                                          .folder = bench->work,
                                          .pages_max = order->pages_max ? order->pages_max : 500,
                                          .uploads = uploads,
                                          .cover = -1,
                                          .cover_fields = fields,
                                          .only_first = order->only_first,
                                          .done = on_done,
                                          .progress = on_progress,
                                          .context = outcome};
    for (int i = 0; i < UPLOADS_MAX && order->documents[i]; i++) {
        struct preparation_upload *upload = &uploads[request.upload_count++];
        upload->fd = open(path_of(order->documents[i]), O_RDONLY | O_CLOEXEC);
        upload->info = object(order->info[i]);
        assert_true(upload->fd >= 0);
        if (order->kept) {
            keep(upload->sha, bench->spool, upload->fd);
            close(upload->fd);
            upload->fd = -1;
        }
    }
    if (order->cover) {
        request.cover = memfd_create("cover", MFD_CLOEXEC);
        assert_int_equal(write(request.cover, order->cover, strlen(order->cover)), strlen(order->cover));
    }
    int error = preparation_start(&outcome->preparation, &request);
    assert_int_equal(outcome->calls, 0); /* never from inside */
    json_decref(options);
    json_decref(programs);
    json_decref(fields);
    return error;
}

static void turn(struct bench *bench)
{
    event_base_loop(bench->base, EVLOOP_ONCE);
    assert_int_equal(spool_turn_end(bench->spool), 0);
}

static void wait_for(const struct outcome *outcome)
{
    int64_t end = clock_mono_ms() + WAIT_MS;
    while (outcome->calls == 0 && clock_mono_ms() < end)
        turn(outcome->bench);
    assert_int_equal(outcome->calls, 1);
}

static void clear(struct outcome *outcome)
{
    for (int i = 0; i < outcome->count; i++)
        close(outcome->forms[i].fd);
    outcome->count = 0;
}

/* Prepare, and want it done. */
static void prepare(struct outcome *outcome, struct bench *bench, const struct order *order)
{
    assert_int_equal(begin(outcome, bench, order), 0);
    wait_for(outcome);
    if (outcome->error || *outcome->fault)
        fail_msg("%d %s: %s", outcome->error, outcome->fault, outcome->message);
}

static void expect_fault(struct bench *bench, const struct order *order, const char *fault, const char *message)
{
    struct outcome outcome;
    assert_int_equal(begin(&outcome, bench, order), 0);
    wait_for(&outcome);
    assert_int_equal(outcome.error, 0);
    assert_int_equal(outcome.count, 0);
    assert_string_equal(outcome.fault, fault);
    assert_string_equal(outcome.message, message);
}

/* "fine 2432x1 standard 1728x1 A4": the forms, their widths and pages, and where none is longer than A4. */
static const char *forms_of(const struct outcome *outcome)
{
    static char text[200];
    text[0] = '\0';
    for (int i = 0; i < outcome->count; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof(text) - length, "%s%s %dx%d%s", i ? " " : "",
                 outcome->forms[i].rendition.resolution, outcome->forms[i].width, outcome->forms[i].pages,
                 outcome->forms[i].rendition.length_max_mm ? " A4" : "");
    }
    return text;
}

static const char *file_of(const struct outcome *outcome, int form)
{
    static char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", outcome->forms[form].fd);
    return path;
}

/* The pages of `document`, prepared alone with `options`, are those of the form from page `first` (from 0) on. */
static int expect_pages(const struct outcome *outcome, int form, int first, const char *document, const char *options)
{
    const char *output = outcome->bench->output;
    int pages = tiff_facts_pages(options, path_of(document), output);
    for (int i = 0; i < pages; i++) {
        if (!tiff_facts_same(file_of(outcome, form), first + i, output, i))
            fail_msg("page %d of form %d is not page %d of %s", first + i, form, i, document);
    }
    return pages;
}

/* A PDF of many pages, each with a bar as long as its number says; the name goes to `path`. */
static void make_pdf(char path[64], int pages)
{
    FILE *file = fdopen(facts_temporary_file(path), "w");
    long offsets[2 * 100 + 3];
    int objects = 2 + 2 * pages;
    assert_non_null(file);
    fputs("%PDF-1.4\n", file);
    offsets[1] = ftell(file);
    fputs("1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n", file);
    offsets[2] = ftell(file);
    fprintf(file, "2 0 obj<</Type/Pages/Count %d/Kids[", pages);
    for (int i = 0; i < pages; i++)
        fprintf(file, "%d 0 R ", 3 + 2 * i);
    fputs("]>>endobj\n", file);
    for (int i = 0; i < pages; i++) {
        char content[64];
        snprintf(content, sizeof(content), "20 400 %d 40 re f\n", 10 * (i + 1));
        offsets[3 + 2 * i] = ftell(file);
        fprintf(file, "%d 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R>>endobj\n", 3 + 2 * i,
                4 + 2 * i);
        offsets[4 + 2 * i] = ftell(file);
        fprintf(file, "%d 0 obj<</Length %zu>>stream\n%sendstream endobj\n", 4 + 2 * i, strlen(content), content);
    }
    long xref = ftell(file);
    fprintf(file, "xref\n0 %d\n0000000000 65535 f \n", objects + 1);
    for (int i = 1; i <= objects; i++)
        fprintf(file, "%010ld 00000 n \n", offsets[i]);
    fprintf(file, "trailer<</Root 1 0 R/Size %d>>\nstartxref\n%ld\n%%%%EOF\n", objects + 1, xref);
    assert_int_equal(fclose(file), 0);
}

/* ---- forms ---- */

static void an_upload_is_prepared_in_every_form_that_may_be_needed(void **state)
{
    static const struct {
        const char *document, *options, *wanted;
    } table[] = {
        {"latin.txt", NULL, "fine 1728x1 standard 1728x1"},
        {"latin.txt", "{\"resolution\":\"standard\"}", "standard 1728x1"},
        {"latin.txt", "{\"resolution\":\"superfine\"}", "superfine 1728x1 fine 1728x1 standard 1728x1"},
        {"plan-rsvg.pdf", NULL, "fine 2432x1 fine 1728x1 standard 1728x1 fine 1728x1 A4 standard 1728x1 A4"},
        {"plan-rsvg.pdf", "{\"resolution\":\"standard\"}", "standard 2432x1 standard 1728x1 standard 1728x1 A4"},
        {"pricelist-reportlab.pdf", NULL, "fine 2048x2 fine 1728x2 standard 1728x2 fine 1728x2 A4 standard 1728x2 A4"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct outcome outcome;
        prepare(&outcome, *state, &(struct order){.documents = {table[i].document}, .options = table[i].options});
        assert_string_equal(forms_of(&outcome), table[i].wanted);
        for (int form = 0; form < outcome.count; form++) {
            uint32_t y_dpi = tiff_facts_tag(file_of(&outcome, form), 0, TIFFTAG_YRESOLUTION);
            const char *resolution = outcome.forms[form].rendition.resolution;
            assert_int_equal(y_dpi, strcmp(resolution, "fine") == 0       ? 196
                                    : strcmp(resolution, "standard") == 0 ? 98
                                                                          : 391);
        }
        clear(&outcome);
    }
}

static void a_preview_has_the_first_form_alone(void **state)
{
    struct outcome outcome;
    prepare(&outcome, *state, &(struct order){.documents = {"plan-rsvg.pdf"}, .only_first = true});
    assert_string_equal(forms_of(&outcome), "fine 2432x1");
    clear(&outcome);
}

static void several_uploads_become_one_fax_in_their_order(void **state)
{
    struct outcome outcome;
    prepare(&outcome, *state,
            &(struct order){.documents = {"photo.jpg", "letter-cairo.pdf", "latin.txt"},
                            .info = {NULL, "{\"pages\":\"2\"}", NULL}});
    assert_string_equal(forms_of(&outcome), "fine 1728x3 standard 1728x3");
    assert_int_equal(expect_pages(&outcome, 0, 0, "photo.jpg", ""), 1);
    assert_int_equal(expect_pages(&outcome, 0, 1, "letter-cairo.pdf", "--pages 2"), 1);
    assert_int_equal(expect_pages(&outcome, 0, 2, "latin.txt", ""), 1);
    assert_int_equal(expect_pages(&outcome, 1, 2, "latin.txt", "--resolution standard"), 1);
    clear(&outcome);
}

static const char cover[] = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"210mm\" height=\"297mm\">"
                            "<rect width=\"400\" height=\"400\"/><text y=\"600\">{{note}} {{pages}}</text></svg>";

static void a_cover_comes_first_in_every_form(void **state)
{
    struct outcome outcome;
    prepare(&outcome, *state, &(struct order){.documents = {"letter-cairo.pdf"}, .cover = cover});
    assert_string_equal(forms_of(&outcome), "fine 1728x3 standard 1728x3");
    for (int form = 0; form < 2; form++)
        assert_in_range(tiff_facts_blackness(file_of(&outcome, form), 0), 150, 250);
    assert_int_equal(expect_pages(&outcome, 0, 1, "letter-cairo.pdf", ""), 2);
    clear(&outcome);
}

static void a_cover_alone_is_a_fax(void **state)
{
    struct outcome outcome;
    prepare(&outcome, *state, &(struct order){.cover = cover, .options = "{\"resolution\":\"superfine\"}"});
    assert_string_equal(forms_of(&outcome), "superfine 1728x1 fine 1728x1 standard 1728x1");
    clear(&outcome);
}

/* ---- long documents ---- */

static void a_long_pdf_is_shared_out_and_keeps_its_order(void **state)
{
    struct outcome outcome;
    char pdf[64];
    make_pdf(pdf, LONG_PAGES);
    prepare(&outcome, *state, &(struct order){.documents = {pdf}});
    assert_int_equal(outcome.forms[0].pages, LONG_PAGES);
    assert_int_equal(outcome.most_running, 2);
    for (int form = 0; form < 2; form++)
        assert_int_equal(expect_pages(&outcome, form, 0, pdf, form == 0 ? "" : "--resolution standard --strict"),
                         LONG_PAGES);
    assert_false(tiff_facts_same(file_of(&outcome, 0), 0, file_of(&outcome, 0), LONG_PAGES - 1));
    clear(&outcome);
    unlink(pdf);
}

static void the_wanted_pages_of_a_long_pdf_are_shared_out(void **state)
{
    struct outcome outcome;
    char pdf[64];
    make_pdf(pdf, LONG_PAGES);
    prepare(&outcome, *state,
            &(struct order){.documents = {"latin.txt", pdf}, .info = {NULL, "{\"pages\":\"2,9-26,40\"}"}});
    assert_int_equal(outcome.forms[0].pages, 21);
    assert_int_equal(outcome.most_running, 2);
    assert_int_equal(expect_pages(&outcome, 0, 1, pdf, "--pages 2,9-26,40"), 20);
    clear(&outcome);
    unlink(pdf);
}

static void a_short_pdf_is_not_shared_out(void **state)
{
    struct outcome outcome;
    prepare(&outcome, *state, &(struct order){.documents = {"text-12-pages.pdf"}});
    assert_string_equal(forms_of(&outcome), "fine 1728x12 standard 1728x12");
    assert_int_equal(outcome.most_running, 1);
    clear(&outcome);
}

static void progress_reaches_the_total(void **state)
{
    struct outcome outcome;
    char pdf[64];
    make_pdf(pdf, LONG_PAGES);
    prepare(&outcome, *state, &(struct order){.documents = {"letter-cairo.pdf", pdf}});
    assert_true(outcome.progress_calls > 3);
    assert_int_equal(outcome.total_pages, LONG_PAGES + 2);
    assert_true(outcome.done_pages > LONG_PAGES / 2);
    clear(&outcome);
    unlink(pdf);
}

/* ---- what is remembered ---- */

static void an_upload_is_converted_once(void **state)
{
    struct bench *bench = *state;
    struct outcome first, again;
    const struct order order = {.documents = {"letter-cairo.pdf"}, .kept = true};
    prepare(&first, bench, &order);
    assert_string_equal(forms_of(&first), "fine 1728x2 standard 1728x2");
    assert_int_equal(strlen(first.forms[0].sha), DOCUMENT_SHA_SIZE - 1);
    converter_again(bench, "/nonexistent/faxd-convert");
    prepare(&again, bench, &order);
    assert_string_equal(forms_of(&again), forms_of(&first));
    for (int i = 0; i < 2; i++)
        assert_string_equal(again.forms[i].sha, first.forms[i].sha);
    clear(&first);
    clear(&again);
}

static void other_options_are_another_conversion(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    prepare(&outcome, bench, &(struct order){.documents = {"letter-cairo.pdf"}, .kept = true});
    clear(&outcome);
    converter_again(bench, "/nonexistent/faxd-convert");
    assert_int_equal(
        begin(&outcome, bench,
              &(struct order){.documents = {"letter-cairo.pdf"}, .options = "{\"dither\":\"halftone\"}", .kept = true}),
        0);
    wait_for(&outcome);
    assert_true(outcome.error < 0);
    assert_string_equal(outcome.fault, "");
}

static void what_is_remembered_is_put_behind_a_cover(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    prepare(&outcome, bench, &(struct order){.documents = {"letter-cairo.pdf"}, .kept = true});
    clear(&outcome);
    prepare(&outcome, bench, &(struct order){.documents = {"letter-cairo.pdf"}, .kept = true, .cover = cover});
    assert_string_equal(forms_of(&outcome), "fine 1728x3 standard 1728x3");
    assert_string_equal(outcome.forms[0].sha, "");
    assert_int_equal(expect_pages(&outcome, 0, 1, "letter-cairo.pdf", ""), 2);
    clear(&outcome);
}

static void an_encrypted_document_opens_with_its_password_only(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    struct order order = {.documents = {"encrypted.pdf"}, .info = {"{\"password\":\"secret\"}"}, .kept = true};
    prepare(&outcome, bench, &order);
    assert_int_equal(outcome.forms[0].pages, 2);
    clear(&outcome);
    order.info[0] = "{\"password\":\"a guess\"}"; /* nor does it get what was prepared before */
    assert_int_equal(begin(&outcome, bench, &order), 0);
    wait_for(&outcome);
    assert_string_not_equal(outcome.fault, "");
    assert_int_equal(outcome.count, 0);
}

/* ---- faults ---- */

static void a_fault_names_the_document(void **state)
{
    expect_fault(*state, &(struct order){.documents = {"latin.txt", "zero-pages.pdf"}}, "conversion_failed",
                 "document 2: the PDF file is damaged: it has no pages");
    expect_fault(*state, &(struct order){.documents = {"zero-pages.pdf"}}, "conversion_failed",
                 "the PDF file is damaged: it has no pages");
}

static void a_fax_with_too_many_pages_is_refused_as_a_whole(void **state)
{
    expect_fault(*state, &(struct order){.documents = {"letter-cairo.pdf", "letter-cairo.pdf"}, .pages_max = 3},
                 "too_many_pages", "the fax has 4 pages, the most is 3: send it in parts");
    expect_fault(*state, &(struct order){.documents = {"text-12-pages.pdf"}, .pages_max = 3}, "too_many_pages",
                 "the document has 12 pages, the most is 3: send it in parts");
}

static void a_long_document_that_is_too_long_is_refused_once(void **state)
{
    char pdf[64];
    make_pdf(pdf, LONG_PAGES);
    expect_fault(*state, &(struct order){.documents = {pdf}, .pages_max = 30}, "too_many_pages",
                 "the document has 40 pages, the most is 30: send it in parts");
    unlink(pdf);
}

static void a_cover_that_cannot_be_drawn_is_a_fault(void **state)
{
    expect_fault(*state, &(struct order){.documents = {"latin.txt", "latin.txt"}, .cover = "<html/>"},
                 "conversion_failed", "the cover page is no SVG drawing but <html>");
}

static void a_converter_that_does_not_run_is_the_machines_fault(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    converter_again(bench, "/nonexistent/faxd-convert");
    assert_int_equal(begin(&outcome, bench, &(struct order){.documents = {"latin.txt"}}), 0);
    wait_for(&outcome);
    assert_true(outcome.error < 0);
    assert_string_equal(outcome.fault, "");
}

static void a_fax_of_nothing_or_of_too_much_is_refused(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    assert_int_equal(begin(&outcome, bench, &(struct order){.options = "{}"}), ERR_INVALID);
    struct preparation_upload uploads[PREPARATION_UPLOADS_MAX + 1] = {0};
    for (size_t i = 0; i < COUNT_OF(uploads); i++)
        uploads[i] = (struct preparation_upload){.fd = memfd_create("upload", MFD_CLOEXEC), .info = json_object()};
    const struct preparation_request request = {.spool = bench->spool,
                                                .converter = bench->converter,
                                                .uploads = uploads,
                                                .upload_count = COUNT_OF(uploads),
                                                .cover = memfd_create("cover", MFD_CLOEXEC),
                                                .done = on_done};
    assert_int_equal(preparation_start(&outcome.preparation, &request), ERR_INVALID);
    /* Taken over, also after an error. */
    for (size_t i = 0; i < COUNT_OF(uploads); i++)
        assert_int_equal(fcntl(uploads[i].fd, F_GETFD), -1);
    assert_int_equal(fcntl(request.cover, F_GETFD), -1);
}

/* ---- cancel ---- */

static void settle(struct bench *bench)
{
    struct timeval soon = {.tv_usec = 1000};
    event_base_loopexit(bench->base, &soon);
    event_base_dispatch(bench->base);
    assert_int_equal(spool_turn_end(bench->spool), 0);
}

static void nothing_is_left_of_a_canceled_preparation(void **state)
{
    struct bench *bench = *state;
    char pdf[64];
    bool done = false;
    make_pdf(pdf, LONG_PAGES);
    const struct order order = {.documents = {"letter-cairo.pdf", pdf}, .cover = cover};
    struct outcome outcome;
    prepare(&outcome, bench, &(struct order){.documents = {"latin.txt"}}); /* the spawner runs */
    clear(&outcome);
    int before = facts_open_descriptors();
    for (int turns = 0; turns < 400 && !done; turns += 1 + turns / 3) {
        assert_int_equal(begin(&outcome, bench, &order), 0);
        for (int i = 0; i < turns && outcome.calls == 0; i++)
            turn(bench);
        done = outcome.calls > 0;
        if (done)
            clear(&outcome);
        else
            preparation_cancel(outcome.preparation);
        assert_int_equal(temporary_files(bench), 0);
        settle(bench);
        assert_true(done || outcome.calls == 0);
    }
    assert_true(done); /* so every moment was tried */
    for (int i = 0; i < 200 && facts_open_descriptors() > before; i++)
        settle(bench); /* a child that was killed is reported by its spawner */
    assert_true(facts_open_descriptors() <= before);
    unlink(pdf);
}

static void a_preparation_that_has_ended_can_still_be_canceled(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    const struct order order = {.documents = {"letter-cairo.pdf"}, .kept = true};
    prepare(&outcome, bench, &order);
    clear(&outcome);
    assert_int_equal(begin(&outcome, bench, &order), 0); /* all of it is remembered: only the end is to be told */
    preparation_cancel(outcome.preparation);
    settle(bench);
    assert_int_equal(outcome.calls, 0);
    preparation_cancel(NULL);
}

/* ---- other programs ---- */

static void another_program_makes_the_pdf(void **state)
{
    struct outcome outcome;
    static const char programs[] =
        "{\"postscript\":[\"/bin/sh\",\"-c\",\"cp \\\"$0\\\" \\\"$1/input.pdf\\\"\",\"{input}\",\"{folder}\"]}";
    prepare(&outcome, *state,
            &(struct order){.documents = {"letter-cairo.pdf", "latin.txt"},
                            .info = {"{\"type\":\"postscript\"}", NULL},
                            .programs = programs});
    assert_string_equal(forms_of(&outcome), "fine 1728x3 standard 1728x3");
    assert_int_equal(expect_pages(&outcome, 0, 0, "letter-cairo.pdf", ""), 2);
    clear(&outcome);
}

static void what_another_program_does_wrong_is_told(void **state)
{
    static const struct {
        const char *script, *message;
    } table[] = {
        {"echo first; echo the words >&2; exit 3", "sh cannot convert the document: the words"},
        {"kill -9 $$", "sh cannot convert the document"},
        {"exit 0", "sh made no PDF of the document"},
        {": > input.pdf", "sh made no PDF of the document"},
        {"mkdir input.pdf", "sh made no PDF of the document"},
        {"ln -s /etc/passwd input.pdf", "sh made no PDF of the document"},
        {"mkfifo input.pdf", "sh made no PDF of the document"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char programs[300];
        snprintf(programs, sizeof(programs), "{\"office\":[\"/bin/sh\",\"-c\",\"%s\"]}", table[i].script);
        expect_fault(
            *state,
            &(struct order){.documents = {"letter.rtf"}, .info = {"{\"type\":\"office\"}"}, .programs = programs},
            "conversion_failed", table[i].message);
    }
}

/* A stranger's program could say anything; it is read like any upload. */
static void what_another_program_leaves_is_not_believed(void **state)
{
    struct order order = {.documents = {"latin.txt", "letter.rtf"},
                          .info = {NULL, "{\"type\":\"office\"}"},
                          .programs = "{\"office\":[\"/bin/sh\",\"-c\",\"echo %PDF-1.4 torn > input.pdf\"]}"};
    expect_fault(*state, &order, "conversion_failed", "document 2: the PDF file is damaged: PDF document is damaged");
    order.programs = "{\"office\":[\"/bin/sh\",\"-c\",\"echo sorry > input.pdf\"]}";
    expect_fault(*state, &order, "conversion_failed", "document 2: sh made no PDF of the document");
}

static void a_program_that_is_not_there_is_the_machines_fault(void **state)
{
    struct outcome outcome;
    assert_int_equal(begin(&outcome, *state,
                           &(struct order){.documents = {"letter.rtf"},
                                           .info = {"{\"type\":\"office\"}"},
                                           .programs = "{\"office\":[\"/nonexistent/office\"]}"}),
                     0);
    wait_for(&outcome);
    assert_true(outcome.error < 0);
    assert_string_equal(outcome.fault, "");
}

static void without_a_program_the_type_is_not_read(void **state)
{
    expect_fault(*state, &(struct order){.documents = {"letter.rtf"}, .info = {"{\"type\":\"office\"}"}},
                 "document_unsupported", "the document is of type office, which has to become PDF first");
}

static void a_program_that_hangs_is_ended_with_its_folder(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    converter_set_timeout(bench->converter, 1);
    assert_int_equal(begin(&outcome, bench,
                           &(struct order){.documents = {"letter.rtf"},
                                           .info = {"{\"type\":\"office\"}"},
                                           .programs = "{\"office\":[\"/bin/sh\",\"-c\",\"sleep 600 & wait\"]}"}),
                     0);
    wait_for(&outcome);
    assert_int_equal(outcome.error, 0);
    assert_string_equal(outcome.fault, "conversion_failed");
    for (int i = 0; i < 2000 && files_in(bench->work) > 0; i++)
        usleep(1000); /* its child cleans up */
    assert_int_equal(files_in(bench->work), 0);
}

static void a_canceled_program_is_ended_with_its_folder(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome;
    assert_int_equal(begin(&outcome, bench,
                           &(struct order){.documents = {"letter.rtf"},
                                           .info = {"{\"type\":\"office\"}"},
                                           .programs = "{\"office\":[\"/bin/sh\",\"-c\",\"sleep 600 & wait\"]}"}),
                     0);
    for (int i = 0; i < 5000 && files_in(bench->work) == 0; i++)
        settle(bench);
    assert_int_equal(files_in(bench->work), 1);
    preparation_cancel(outcome.preparation);
    for (int i = 0; i < 2000 && files_in(bench->work) > 0; i++)
        settle(bench);
    assert_int_equal(files_in(bench->work), 0);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    TIFFSetWarningHandler(NULL);
    static const struct CMUnitTest facts[] = {
        FACT(an_upload_is_prepared_in_every_form_that_may_be_needed),
        FACT(a_preview_has_the_first_form_alone),
        FACT(several_uploads_become_one_fax_in_their_order),
        FACT(a_cover_comes_first_in_every_form),
        FACT(a_cover_alone_is_a_fax),
        FACT(a_long_pdf_is_shared_out_and_keeps_its_order),
        FACT(the_wanted_pages_of_a_long_pdf_are_shared_out),
        FACT(a_short_pdf_is_not_shared_out),
        FACT(progress_reaches_the_total),
        FACT(an_upload_is_converted_once),
        FACT(other_options_are_another_conversion),
        FACT(what_is_remembered_is_put_behind_a_cover),
        FACT(an_encrypted_document_opens_with_its_password_only),
        FACT(a_fault_names_the_document),
        FACT(a_fax_with_too_many_pages_is_refused_as_a_whole),
        FACT(a_long_document_that_is_too_long_is_refused_once),
        FACT(a_cover_that_cannot_be_drawn_is_a_fault),
        FACT(a_converter_that_does_not_run_is_the_machines_fault),
        FACT(a_fax_of_nothing_or_of_too_much_is_refused),
        FACT(nothing_is_left_of_a_canceled_preparation),
        FACT(a_preparation_that_has_ended_can_still_be_canceled),
        FACT(another_program_makes_the_pdf),
        FACT(what_another_program_does_wrong_is_told),
        FACT(what_another_program_leaves_is_not_believed),
        FACT(a_program_that_is_not_there_is_the_machines_fault),
        FACT(without_a_program_the_type_is_not_read),
        FACT(a_program_that_hangs_is_ended_with_its_folder),
        FACT(a_canceled_program_is_ended_with_its_folder),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
