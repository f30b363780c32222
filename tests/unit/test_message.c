/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the texts of mails, and about mails as they go over the wire. */
#include "config.h"

#include "server/mail/mailer.h"
#include "server/mail/message.h"
#include "server/mail/template.h"

#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/lib/facts.h"

/* --- templates --- */

static void templates_are_checked(void **state)
{
    static const char *const good[] = {
        "Subject: Hello\n\ntext\n",
        "Subject: Fax from {from}\nSubject: A fax\nName: fax {id}\nName: fax\n\nFrom {from} {{not a field}\n",
        "Subject: \xc3\x9c\n\n\n  {pages}",
    };
    static const struct {
        const char *text, *fault;
    } bad[] = {
        {"", "Subject"},
        {"Subject: Hello\n", "no text"},
        {"Subject: Hello\n\n \n\n", "no text"},
        {"Hello\n\ntext\n", "line 1"},
        {"Subject: Fax from {from}\n\ntext\n", "do without"},
        {"Subject: A\nName: {id}\n\ntext\n", "do without"},
        {"Subject: A\n\n{number}\n", "no field {number}"},
        {"Subject: A\n\n{endpoint}\n", "no field {endpoint}"},
        {"Subject: A\n\nbrace {\n", "line 3"},
        {"Subject: A\n\n{}\n", "line 3"},
        {"Subject: A\n\n\xff\n", "UTF-8"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (template_check(TEMPLATE_RECEIVED, good[i]) != 0)
            fail_msg("%s: %s", good[i], err_message());
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(template_check(TEMPLATE_RECEIVED, bad[i].text), ERR_INVALID);
        if (strstr(err_message(), bad[i].fault) == NULL)
            fail_msg("%s: %s", bad[i].text, err_message());
    }
}

static void the_installed_templates_are_whole_and_fill_in(void **state)
{
    static const struct template_field none[] = {{"id", "fax_1"}, {NULL, NULL}};
    static const struct template_field all[] = {{"id", "fax_1"},         {"from", "+4930\r\nBcc: x"},
                                                {"to", "1002"},          {"pages", "3"},
                                                {"reason", "busy"},      {"code", "b"},
                                                {"event", "trunk.down"}, {"details", "a: 1\nb: 2"},
                                                {"endpoint", "whe_1"},   {NULL, NULL}};
    struct templates *templates;
    (void)state;
    if (templates_load(&templates, SOURCE_DIR "/server/mail/templates", "/nowhere") != 0)
        fail_msg("%s", err_message());
    for (const char *const *language = templates_languages(templates); *language != NULL; language++)
        for (int name = 0; name < TEMPLATE_COUNT; name++)
            for (int full = 0; full < 2; full++) {
                struct template_text text;
                template_fill(&text, templates, (enum template_name)name, *language, full ? all : none);
                assert_true(text.subject[0] != '\0');
                assert_null(strpbrk(text.subject, "\r\n"));
                assert_null(strpbrk(text.attachment, "\r\n"));
                assert_null(strchr(text.text, '\r'));
                if (!full)
                    assert_null(strstr(text.text, ": \n"));
                free(text.subject);
                free(text.attachment);
                free(text.text);
            }
    templates_free(templates);
    assert_int_equal(templates_load(&templates, "/nowhere", "/nowhere"), ERR_IO);
}

static void a_line_with_a_field_that_has_no_value_is_left_out(void **state)
{
    static const struct template_field fields[] = {{"from", "1"}, {"to", ""}, {NULL, NULL}};
    (void)state;
    char *line = template_line("a {from} b {{x}", fields);
    assert_string_equal(line, "a 1 b {x}");
    free(line);
    assert_null(template_line("{from}{to}", fields));
    assert_null(template_line("{unknown}", fields));
    line = template_line("{", fields);
    assert_string_equal(line, "{");
    free(line);
}

/* --- messages --- */

static const struct message_head head = {
    .from = "fax@office.example",
    .from_name = "B\xc3\xbcro, \"Fax\"",
    .to = "anna@office.example",
    .subject = "\xc3\x81rv\xc3\xadzt\xc5\xb1r\xc5\x91 t\xc3\xbck\xc3\xb6rf\xc3\xbar\xc3\xb3g\xc3\xa9p, "
               "and so long a subject that it has to be folded somewhere on its way",
    .id = "mail_1@office.example",
    .faxd_id = "fax_1",
    .language = "hu",
    .date_ms = 1700000000000};

static int file_of(size_t size)
{
    int fd = memfd_create("attachment", MFD_CLOEXEC);
    unsigned char *octets = xmalloc(size + 1);
    for (size_t i = 0; i < size; i++)
        octets[i] = (unsigned char)(i * 7 + i / 251);
    assert_int_equal(write(fd, octets, size), (ssize_t)size);
    free(octets);
    return fd;
}

/* All of it, read in steps of `step` octets. */
static char *all_of(struct message *message, size_t step, size_t *size)
{
    char *text = xmalloc((size_t)message_size(message) + step + 1);
    *size = 0;
    for (;;) {
        long got = message_read(message, text + *size, step);
        assert_true(got >= 0);
        if (got == 0)
            break;
        *size += (size_t)got;
        assert_true((int64_t)*size <= message_size(message));
    }
    assert_int_equal(*size, message_size(message));
    text[*size] = '\0';
    return text;
}

static GMimeMessage *parsed(const char *text, size_t size)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text, size);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *mail = g_mime_parser_construct_message(parser, NULL);
    g_object_unref(parser);
    g_object_unref(stream);
    return mail;
}

static void check_attachment(GMimeObject *part, size_t size, const char *name)
{
    GMimeStream *stream = g_mime_stream_mem_new();
    assert_string_equal(g_mime_part_get_filename(GMIME_PART(part)), name);
    g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(part)), stream);
    const GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    assert_int_equal(bytes->len, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes->data[i], (unsigned char)(i * 7 + i / 251));
    g_object_unref(stream);
}

static void check_lines(const char *text)
{
    for (const char *line = text; *line != '\0';) {
        const char *end = strstr(line, "\r\n");
        assert_non_null(end);
        assert_true(end - line <= 998);
        assert_null(memchr(line, '\n', (size_t)(end - line)));
        line = end + 2;
    }
}

static void attachments_come_out_as_they_went_in_whatever_their_size(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 3, 56, 57, 58, 57 * 256, 57 * 256 + 1, 100000};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const struct message_part parts[] = {
            {file_of(sizes[i]), "application/pdf", "K\xc3\xbcld\xc3\xa9si igazol\xc3\xa1s.pdf"},
            {file_of(sizes[sizeof sizes / sizeof *sizes - 1 - i]), "image/tiff", "fax.tif"}};
        struct message *message;
        size_t size;
        assert_int_equal(message_new(&message, &head, "Guten Tag, M\xc3\xbcller\n.\nFrom here\n", parts, 2), 0);
        char *text = all_of(message, i % 2 == 0 ? 16384 : 1 + i * 13, &size);
        check_lines(text);
        GMimeMessage *mail = parsed(text, size);
        assert_string_equal(g_mime_message_get_subject(mail), head.subject);
        assert_string_equal(g_mime_message_get_message_id(mail), head.id);
        assert_string_equal(g_mime_object_get_header(GMIME_OBJECT(mail), "Auto-Submitted"), "auto-generated");
        GMimeMultipart *multipart = GMIME_MULTIPART(g_mime_message_get_mime_part(mail));
        assert_int_equal(g_mime_multipart_get_count(multipart), 3);
        char *body = g_mime_text_part_get_text(GMIME_TEXT_PART(g_mime_multipart_get_part(multipart, 0)));
        assert_string_equal(body, "Guten Tag, M\xc3\xbcller\r\n.\r\nFrom here\r\n");
        g_free(body);
        check_attachment(g_mime_multipart_get_part(multipart, 1), sizes[i], parts[0].basename);
        check_attachment(g_mime_multipart_get_part(multipart, 2), sizes[sizeof sizes / sizeof *sizes - 1 - i],
                         "fax.tif");
        g_object_unref(mail);
        free(text);
        message_free(message);
    }
}

static void a_text_alone_is_no_multipart(void **state)
{
    struct message *message;
    size_t size;
    (void)state;
    assert_int_equal(message_new(&message, &head, "one line\n", NULL, 0), 0);
    char *text = all_of(message, 7, &size);
    check_lines(text);
    GMimeMessage *mail = parsed(text, size);
    assert_true(GMIME_IS_TEXT_PART(g_mime_message_get_mime_part(mail)));
    InternetAddressList *from = g_mime_message_get_from(mail);
    assert_string_equal(internet_address_get_name(internet_address_list_get_address(from, 0)), head.from_name);
    g_object_unref(mail);
    free(text);
    message_free(message);
}

static void no_text_of_ours_makes_a_header(void **state)
{
    struct message_head evil = head;
    struct message *message;
    size_t size;
    (void)state;
    evil.subject = "a\r\nBcc: x@y.example\r\n\r\nbody";
    evil.from_name = "b\r\nBcc: x@y.example";
    assert_int_equal(message_new(&message, &evil, "one line\n", NULL, 0), 0);
    char *text = all_of(message, 100, &size);
    GMimeMessage *mail = parsed(text, size);
    assert_null(g_mime_object_get_header(GMIME_OBJECT(mail), "Bcc"));
    g_object_unref(mail);
    free(text);
    message_free(message);
}

static void a_file_that_becomes_shorter_is_told(void **state)
{
    int fd = file_of(100000);
    const struct message_part part = {dup(fd), "image/tiff", "fax.tif"};
    struct message *message;
    char buffer[16384];
    long got = 1;
    (void)state;
    assert_int_equal(message_new(&message, &head, "text\n", &part, 1), 0);
    assert_int_equal(ftruncate(fd, 50000), 0);
    while (got > 0)
        got = message_read(message, buffer, sizeof buffer);
    assert_int_equal(got, ERR_IO);
    message_free(message);
    close(fd);
}

static void names_are_fit_for_every_system(void **state)
{
    char name[] = "a/b\\c:d*e?f\"g<h>i|j\nk \xc3\xbc.pdf";
    (void)state;
    message_tidy_name(name);
    assert_string_equal(name, "a_b_c_d_e_f_g_h_i_j_k \xc3\xbc.pdf");
}

static void replies_mean_what_they_say(void **state)
{
    (void)state;
    assert_true(mailer_is_refused(550, true));
    assert_true(mailer_is_refused(552, true));
    assert_true(mailer_is_refused(554, true));
    assert_false(mailer_is_refused(554, false)); /* a greeting: no service here, now */
    assert_false(mailer_is_refused(530, true));  /* it wants TLS or a password first */
    assert_false(mailer_is_refused(535, false));
    assert_false(mailer_is_refused(450, true));
    assert_false(mailer_is_refused(421, true));
    assert_false(mailer_is_refused(0, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_are_checked),
        cmocka_unit_test(the_installed_templates_are_whole_and_fill_in),
        cmocka_unit_test(a_line_with_a_field_that_has_no_value_is_left_out),
        cmocka_unit_test(attachments_come_out_as_they_went_in_whatever_their_size),
        cmocka_unit_test(a_text_alone_is_no_multipart),
        cmocka_unit_test(no_text_of_ours_makes_a_header),
        cmocka_unit_test(a_file_that_becomes_shorter_is_told),
        cmocka_unit_test(names_are_fit_for_every_system),
        cmocka_unit_test(replies_mean_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
