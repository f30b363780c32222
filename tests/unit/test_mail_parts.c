/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about messages: what becomes documents, what is text, what is left out and what is refused. */
#include "config.h"

#include "contrib/mail/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "contrib/mail/html.h"
#include "contrib/mail/mail.h"
#include "contrib/mail/settings.h"
#include "contrib/mail/tnef.h"
#include "tests/lib/facts.h"

#define HEAD      "From: x@a.example\nMIME-Version: 1.0\n"
#define MIXED     HEAD "Content-Type: multipart/mixed; boundary=b\n\n"
#define TEXT      "--b\nContent-Type: text/plain\n\nGood morning\n"
#define PDF(name) "--b\nContent-Type: application/pdf; name=\"" name "\"\n\n%PDF-1.4\n"
#define END       "--b--\n"

static struct settings settings;

static int set_up(void **state)
{
    (void)state;
    message_init();
    settings_defaults(&settings);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    settings_clear(&settings);
    return 0;
}

struct got {
    struct mail mail;
    char body[4096], first[4096]; /* the text, and the first document */
};

static void copy(char *to, size_t room, int fd, const struct mail_document *document)
{
    size_t size = (size_t)document->size < room - 1 ? (size_t)document->size : room - 1;
    assert_int_equal(pread(fd, to, size, document->offset), size);
    to[size] = '\0';
}

static void read_octets(struct got *got, const char *message, size_t size)
{
    int in = memfd_create("message", 0), out = memfd_create("documents", 0);
    memset(got, 0, sizeof *got);
    assert_int_equal(write(in, message, size), size);
    mail_init(&got->mail);
    message_read(&got->mail, &settings, in, out);
    copy(got->body, sizeof got->body, out, &got->mail.body);
    if (got->mail.document_count > 0)
        copy(got->first, sizeof got->first, out, &got->mail.documents[0]);
    close(in);
    close(out);
}

static void read_text(struct got *got, const char *message)
{
    read_octets(got, message, strlen(message));
}

/* Names of the documents, with | between. */
static void names(char *text, size_t size, const struct mail *mail)
{
    text[0] = '\0';
    for (int i = 0; i < mail->document_count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", i > 0 ? "|" : "", mail->documents[i].name);
    }
}

static void text_and_documents_are_found_wherever_they_stand(void **state)
{
    (void)state;
    static const struct {
        const char *message, *body, *documents;
    } table[] = {
        {HEAD "\nGood morning\n\n", "Good morning", ""},
        {HEAD "\n \n\t\n", "", ""},
        {"From anna Sat Nov 21 12:00:00 2026\n" HEAD "\nGood morning\n", "Good morning", ""},
        {HEAD "Content-Type: text/html\n\n<p>Good<br>morning</p>", "Good\nmorning", ""},
        {HEAD
         "Content-Type: text/plain; charset=iso-8859-15\nContent-Transfer-Encoding: quoted-printable\n\n5 =A4 f=FCr",
         "5 \xE2\x82\xAC f\xC3\xBCr", ""},
        {HEAD "Content-Type: text/plain; charset=x-nobody-knows\n\nf\xFCr", "f\xC3\xBCr", ""},
        {HEAD "Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: base64\n\naABpAA==\n", "hi", ""},
        {HEAD "Content-Type: application/pdf\n\n%PDF-1.4", "", "an attachment of type application/pdf"},
        {MIXED TEXT PDF("1.pdf") PDF("2.pdf") END, "Good morning", "\"1.pdf\"|\"2.pdf\""},
        {MIXED PDF("1.pdf") TEXT PDF("2.pdf") TEXT END, "Good morning\nGood morning", "\"1.pdf\"|\"2.pdf\""},
        {MIXED "--b\nContent-Type: text/plain; name=a.txt\nContent-Disposition: attachment\n\nnotes\n" END, "",
         "\"a.txt\""},
        {MIXED "--b\nContent-Type: application/octet-stream;\n name*0*=utf-8''gr%C3%B6;\n "
               "name*1*=%C3%9Fe.pdf\n\n%PDF-1\n" END,
         "",
         "\"gr\xC3\xB6\xC3\x9F"
         "e.pdf\""},
        {MIXED
         "--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"=?utf-8?b?w6QucGRm?=\"\n\n"
         "%PDF-1\n" END,
         "", "\"\xC3\xA4.pdf\""},
        /* alternatives: the plain text, and documents of the other */
        {HEAD "Content-Type: multipart/alternative; boundary=b\n\n" TEXT
              "--b\nContent-Type: text/html\n\n<b>Good</b> evening\n" END,
         "Good morning", ""},
        {HEAD "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n  \n"
              "--b\nContent-Type: text/html\n\n<b>Good</b> evening\n" END,
         "Good evening", ""},
        {HEAD
         "Content-Type: multipart/alternative; boundary=b\n\n" TEXT
         "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: text/html\n\nGood\n"
         "--c\nContent-Type: application/pdf; name=1.pdf\n\n%PDF-1\n--c\nContent-Type: text/html\n\nbye\n--c--\n" END,
         "Good morning", "\"1.pdf\""},
        {HEAD "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<img src=cid:x>Hello\n"
              "--b\nContent-Type: application/pdf; name=2.pdf\nContent-ID: <x>\n\n%PDF-1\n" END,
         "Hello", "\"2.pdf\""},
        /* a signed message can be read */
        {HEAD "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\n\n" TEXT
              "--b\nContent-Type: application/pgp-signature\n\nxx\n" END,
         "Good morning", ""},
        /* a forwarded message: its text in front of its documents */
        {MIXED TEXT "--b\nContent-Type: message/rfc822\n\nFrom: y@b.example\nSubject: old\nMIME-Version: 1.0\n"
                    "Content-Type: multipart/mixed; boundary=c\n\n--c\n\nOld text\n"
                    "--c\nContent-Type: application/pdf; name=3.pdf\n\n%PDF-1\n--c--\n" PDF("4.pdf") END,
         "Good morning", "forwarded message|\"3.pdf\"|\"4.pdf\""},
        /* broken, but readable */
        {HEAD "Content-Type: multipart/mixed; boundary=b\n\n" TEXT PDF("1.pdf"), "Good morning", "\"1.pdf\""},
        {HEAD "Content-Type: multipart/mixed\n\n--b\nGood morning\n", "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct got got;
        char found[4096];
        read_text(&got, table[i].message);
        names(found, sizeof found, &got.mail);
        assert_string_equal(got.mail.refusal, "");
        assert_string_equal(got.body, table[i].body);
        assert_string_equal(found, table[i].documents);
        mail_clear(&got.mail);
    }
}

static void what_cannot_be_faxed_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *message, *word;
    } table[] = {
        {MIXED TEXT "--b\nContent-Type: application/octet-stream; name=setup.exe\n\nMZ\n" END,
         "\"setup.exe\" is a program"},
        {MIXED TEXT "--b\nContent-Type: application/pdf; name=\"a.pdf.EXE . \"\n\n%PDF-1\n" END, "is a program"},
        {MIXED TEXT "--b\nContent-Type: text/plain; name=run\nContent-Disposition: attachment\n\n#!/bin/sh\nls\n" END,
         "\"run\" cannot be faxed"},
        {MIXED TEXT
         "--b\nContent-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\nUEsDBAAA\n" END,
         "\"a.zip\" cannot be faxed"},
        {HEAD "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n" TEXT END,
         "encrypted"},
        {HEAD "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nxx", "encrypted"},
        {HEAD "\n-----BEGIN PGP MESSAGE-----\n\nxx\n-----END PGP MESSAGE-----\n", "encrypted with PGP"},
        {HEAD "Content-Type: message/partial; id=x; number=1; total=2\n\nFrom: x\n\nx", "only a part"},
        {HEAD "Content-Type: message/external-body; access-type=URL\n\nContent-Type: text/plain\n\n", "only a part"},
        {HEAD "Content-Type: application/ms-tnef; name=winmail.dat\n\nxx", "winmail.dat"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct got got;
        read_text(&got, table[i].message);
        assert_non_null(strstr(got.mail.refusal, table[i].word));
        assert_string_equal(got.mail.status, "5.6.1");
        mail_clear(&got.mail);
    }
}

static void what_is_no_page_is_left_out_with_a_note(void **state)
{
    (void)state;
    static const struct {
        const char *part, *note;
    } table[] = {
        {"--b\nContent-Type: text/vcard; name=me.vcf\n\nBEGIN:VCARD\n", "\"me.vcf\""},
        {"--b\nContent-Type: application/octet-stream; name=day.ics\n\nBEGIN:VCALENDAR\n", "\"day.ics\""},
        {"--b\nContent-Type: application/pkcs7-signature; name=smime.p7s\n\nxx\n", "\"smime.p7s\""},
        {"--b\nContent-Type: application/pdf; name=e.pdf\n\n", "\"e.pdf\" is empty"},
        {"--b\nContent-Type: image/gif; name=logo.gif\nContent-ID: <x>\n\nGIF89a\n", "small picture \"logo.gif\""},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct got got;
        char *message;
        assert_true(asprintf(&message, MIXED TEXT "%s" END, table[i].part) > 0);
        read_text(&got, message);
        assert_string_equal(got.mail.refusal, "");
        assert_int_equal(got.mail.document_count, 0);
        assert_int_equal(json_array_size(got.mail.notes), 1);
        assert_non_null(strstr(json_string_value(json_array_get(got.mail.notes, 0)), table[i].note));
        mail_clear(&got.mail);
        free(message);
    }
}

static void deep_and_wide_messages_are_refused(void **state)
{
    (void)state;
    char *deep = calloc(1, 100000), *wide = calloc(1, 100000);
    struct got got;
    strcpy(deep, HEAD);
    strcpy(wide, MIXED);
    for (int i = 0; i < 300; i++) {
        sprintf(deep + strlen(deep), "Content-Type: multipart/mixed; boundary=x%d\n\n--x%d\n", i, i);
        sprintf(wide + strlen(wide), "--b\n\nx\n");
    }
    read_text(&got, deep);
    assert_non_null(strstr(got.mail.refusal, "nested deeper"));
    mail_clear(&got.mail);
    read_text(&got, wide);
    assert_non_null(strstr(got.mail.refusal, "more than 200 parts"));
    mail_clear(&got.mail);
    memset(wide, 'x', 99000);
    settings.max_header_kib = 64;
    memcpy(wide, "Subject: ", 9);
    read_octets(&got, wide, 99000);
    assert_non_null(strstr(got.mail.refusal, "header"));
    mail_clear(&got.mail);
    settings.max_header_kib = 256;
    free(deep);
    free(wide);
}

static void a_digest_is_of_the_message_and_not_of_its_way(void **state)
{
    (void)state;
    struct got one, two, other;
    read_text(&one, "Received: a\n" HEAD "Subject: s\n\nx");
    read_text(&two, "Received: b\nReceived: c\nReturn-Path: <x>\n" HEAD "Subject: s\n\nx");
    read_text(&other, HEAD "Subject: s\n\ny");
    assert_string_equal(one.mail.digest, two.mail.digest);
    assert_string_not_equal(one.mail.digest, other.mail.digest);
    assert_int_equal(two.mail.hops, 2);
    mail_clear(&one.mail);
    mail_clear(&two.mail);
    mail_clear(&other.mail);
}

static void automatic_mail_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        bool automatic;
    } table[] = {
        {"Auto-Submitted: auto-replied", true},
        {"Auto-Submitted: auto-generated; x=y", true},
        {"Auto-Submitted: no", false},
        {"Auto-Submitted: No (really)", false},
        {"Precedence: bulk", true},
        {"Precedence: LIST", true},
        {"Precedence: first-class", false},
        {"List-Id: <a.b>", true},
        {"X-Mailer: x", false},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct got got;
        char message[500];
        snprintf(message, sizeof message, "%s\n" HEAD "\nx", table[i].field);
        read_text(&got, message);
        assert_int_equal(got.mail.automatic[0] != '\0', table[i].automatic);
        mail_clear(&got.mail);
    }
}

static void a_report_of_the_reader_comes_back_as_it_was(void **state)
{
    (void)state;
    struct got got;
    struct mail again;
    read_text(&got,
              "Auto-Submitted: auto-replied\n" MIXED TEXT PDF("1.pdf") "--b\nContent-Type: text/vcard\n\nx\n" END);
    json_t *json = mail_to_json(&got.mail);
    assert_int_equal(mail_from_json(&again, json, 1000), 0);
    json_t *twice = mail_to_json(&again);
    assert_true(json_equal(json, twice));
    mail_clear(&again);
    assert_true(mail_from_json(&again, json, 5) < 0); /* documents past the end of the file */
    mail_clear(&again);
    json_decref(json);
    json_decref(twice);
    mail_clear(&got.mail);
}

static void html_becomes_text(void **state)
{
    (void)state;
    static const struct {
        const char *html, *text;
    } table[] = {
        {"", ""},
        {"plain", "plain"},
        {"<html><head><title>x</title></head><body>Hello</body></html>", "Hello"},
        {"<style>p{}</style><script>if (a<b) x()</script>Hello<!-- <p>no -->!", "Hello!"},
        {"a<br>b<br/><br>c", "a\nb\n\nc"},
        {"<p>a</p>\n<p>b</p>", "a\n\nb"},
        {"a&amp;b &lt;c&gt; &euro;5 &#8364; &#x41; &nosuch; &", "a&b <c> \xE2\x82\xAC"
                                                                "5 \xE2\x82\xAC A &nosuch; &"},
        {"&#0;&#xD800;&#99999999;x", "&#0;&#xD800;&#99999999;x"},
        {"<ul><li>a<li>b</ul>", "- a\n- b\n\n"},
        {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n\n"},
        {"<pre>a\n  b</pre>", "a\n  b\n\n"},
        {"a < b", "a < b"},
        /* What does not end takes nothing with it. */
        {"<unclosed", "<unclosed"},
        {"a <b", "a <b"},
        {"<!-- unclosed", "<!-- unclosed"},
        {"<!-- unclosed > Hello <b>you</b>", "Hello you"},
        {"<script>unclosed", "unclosed"},
        {"<style>p{}</style><style>unclosed", "unclosed"},
        {"<head><title>x</title><body>Hello", "Hello"},
        {"<head><meta a=b><BODY class=c>Hello</head>", "Hello"},
        {"<head><p>Hello", "Hello"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        bool cut = false;
        char *text = html_text(&cut, table[i].html, strlen(table[i].html), 1000);
        assert_false(cut);
        if (strlen(text) > strlen(table[i].text)) /* blank lines at the end are not looked at */
            assert_int_equal(strspn(text + strlen(table[i].text), "\n"), strlen(text) - strlen(table[i].text));
        else
            assert_int_equal(strspn(table[i].text + strlen(text), "\n"), strlen(table[i].text) - strlen(text));
        assert_memory_equal(text, table[i].text,
                            strlen(text) < strlen(table[i].text) ? strlen(text) : strlen(table[i].text));
        free(text);
    }
}

static void text_that_is_cut_is_told_of(void **state)
{
    (void)state;
    static const char *const heads[] = {HEAD "Content-Type: text/html\n\n",
                                        HEAD "Content-Type: text/html; name=a.html\n\n", HEAD "\n"};
    bool cut = false;
    char *text = html_text(&cut, "1234\xC3\xA4", 6, 5);
    assert_true(cut);
    assert_string_equal(text, "1234");
    free(text);
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        size_t head = strlen(heads[i]), size = head + (3 << 19);
        char *message = malloc(size);
        struct got got;
        memset(message, 'x', size);
        memcpy(message, heads[i], head);
        read_octets(&got, message, size);
        assert_int_equal(json_array_size(got.mail.notes), 1);
        assert_non_null(strstr(json_string_value(json_array_get(got.mail.notes, 0)), "too long, and was cut"));
        mail_clear(&got.mail);
        free(message);
    }
}

/* --- winmail.dat --- */

static size_t put_number(unsigned char *to, unsigned value, int octets)
{
    for (int i = 0; i < octets; i++, value >>= 8)
        to[i] = (unsigned char)value;
    return (size_t)octets;
}

static size_t put_attribute(unsigned char *to, unsigned id, const void *data, unsigned size)
{
    size_t at = put_number(to, 2, 1);
    at += put_number(to + at, id, 4);
    at += put_number(to + at, size, 4);
    memcpy(to + at, data, size);
    return at + size + put_number(to + at + size, 0, 2);
}

static size_t make_tnef(unsigned char *to)
{
    unsigned char properties[200];
    size_t at = put_number(to, 0x223E9F78, 4), size = put_number(properties, 2, 4);
    at += put_number(to + at, 1, 2);
    /* PR_ATTACH_METHOD = 1, then PR_ATTACH_LONG_FILENAME in UTF-16 */
    size += put_number(properties + size, 0x0003, 2) + put_number(properties + size + 2, 0x3705, 2);
    size += put_number(properties + size, 1, 4);
    size += put_number(properties + size, 0x001F, 2) + put_number(properties + size + 2, 0x3707, 2);
    size += put_number(properties + size, 1, 4) + put_number(properties + size + 4, 14, 4);
    memcpy(properties + size, "l\0\xF6\0n\0g\0.\0p\0\0\0\0\0", 16);
    size += 16;
    at += put_attribute(to + at, 0x00069002, "", 0);
    at += put_attribute(to + at, 0x00018010, "SHORT~1.PDF", 12);
    at += put_attribute(to + at, 0x0006800F, "%PDF-1.4", 8);
    at += put_attribute(to + at, 0x00069005, properties, (unsigned)size);
    at += put_attribute(to + at, 0x00069002, "", 0);
    at += put_attribute(to + at, 0x00018010, "f\xFCr.pdf", 8);
    return at + put_attribute(to + at, 0x0006800F, "%PDF-2", 6);
}

static void winmail_dat_is_unpacked(void **state)
{
    (void)state;
    unsigned char data[1000];
    struct tnef tnef;
    size_t size = make_tnef(data);
    assert_int_equal(tnef_read(&tnef, data, size), 0);
    assert_int_equal(tnef.count, 2);
    assert_string_equal(tnef.attachments[0].name, "l\xC3\xB6ng.p");
    assert_int_equal(tnef.attachments[0].size, 8);
    assert_memory_equal(tnef.attachments[0].data, "%PDF-1.4", 8);
    assert_string_equal(tnef.attachments[1].name, "f\xC3\xBCr.pdf");
    unsigned char message[2000];
    size_t head = (size_t)sprintf((char *)message, HEAD "Content-Type: application/ms-tnef; name=winmail.dat\n"
                                                        "Content-Transfer-Encoding: binary\n\n");
    struct got got;
    memcpy(message + head, data, size);
    read_octets(&got, (const char *)message, head + size);
    assert_string_equal(got.mail.refusal, "");
    assert_int_equal(got.mail.document_count, 2);
    assert_string_equal(got.first, "%PDF-1.4");
    mail_clear(&got.mail);
    int most = settings.max_parts;
    settings.max_parts = 2; /* itself, and one of those within */
    read_octets(&got, (const char *)message, head + size);
    assert_string_equal(got.mail.refusal, "the message has more than 2 parts");
    mail_clear(&got.mail);
    settings.max_parts = most;
}

static void a_damaged_winmail_dat_is_told_and_read_no_further_than_it_goes(void **state)
{
    (void)state;
    unsigned char data[1000];
    struct tnef tnef;
    size_t size = make_tnef(data);
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *exact = malloc(cut > 0 ? cut : 1); /* so that a sanitizer sees a read past its end */
        memcpy(exact, data, cut);
        tnef_read(&tnef, exact, cut);
        free(exact);
    }
    for (size_t at = 6; at < size; at++) {
        unsigned char *exact = malloc(size);
        memcpy(exact, data, size);
        exact[at] = 0xFF;
        tnef_read(&tnef, exact, size);
        free(exact);
    }
    assert_true(tnef_read(&tnef, data, 20) < 0);
    assert_true(tnef_read(&tnef, "no", 2) < 0);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(text_and_documents_are_found_wherever_they_stand),
        cmocka_unit_test(what_cannot_be_faxed_is_refused_by_name),
        cmocka_unit_test(what_is_no_page_is_left_out_with_a_note),
        cmocka_unit_test(deep_and_wide_messages_are_refused),
        cmocka_unit_test(a_digest_is_of_the_message_and_not_of_its_way),
        cmocka_unit_test(automatic_mail_is_known),
        cmocka_unit_test(a_report_of_the_reader_comes_back_as_it_was),
        cmocka_unit_test(html_becomes_text),
        cmocka_unit_test(text_that_is_cut_is_told_of),
        cmocka_unit_test(winmail_dat_is_unpacked),
        cmocka_unit_test(a_damaged_winmail_dat_is_told_and_read_no_further_than_it_goes),
    };
    return cmocka_run_group_tests_name("mail_parts", facts, set_up, tear_down);
}
