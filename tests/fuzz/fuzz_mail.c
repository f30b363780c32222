/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: any octets as an address, as a template and as a line of one, and as what fills a field of a mail. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/str.h"
#include "server/mail/message.h"
#include "server/mail/template.h"
#include "spool/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken stands in headers and commands as it is. */
static void check_address(const char *text)
{
    if (mail_address_check(text) == 0 && (strpbrk(text, " \r\n\t<>,;\"\\()[]:") || !strchr(text, '@')))
        abort();
}

static void check_template(const char *text)
{
    const struct template_field fields[] = {{"from", text}, {"id", "fax_1"}, {NULL, NULL}};
    for (int name = 0; name < TEMPLATE_COUNT; name++)
        template_check((enum template_name)name, text);
    char *line = template_line(text, fields), *value = template_line("{from}", fields);
    if (line && (strchr(line, '\n') || strchr(line, '\r')) && !strpbrk(text, "\r\n"))
        abort();
    if (value && strpbrk(value, "\r\n\t"))
        abort();
    free(line);
    free(value);
}

/* The head of a mail has lines of its own making only. */
static void check_message(const char *text)
{
    const struct message_head head = {.from = "a@b.example",
                                      .from_name = text,
                                      .to = "c@d.example",
                                      .subject = text,
                                      .id = "mail_1@b.example",
                                      .faxd_id = "fax_1",
                                      .language = "en",
                                      .date_ms = 0};
    struct message *message;
    char buffer[4096];
    long got;
    int64_t size = 0;
    if (!str_is_utf8(text, strlen(text)) || message_new(&message, &head, text, NULL, 0) != 0)
        return;
    while ((got = message_read(message, buffer, sizeof(buffer))) > 0) {
        size += got;
        if (memmem(buffer, (size_t)got, "\nBcc:", 5) && size == got && !strstr(text, "\nBcc:"))
            abort();
    }
    if (got < 0 || size != message_size(message))
        abort();
    message_free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_address(text);
    check_template(text);
    if (size < 20000)
        check_message(text);
    free(text);
    return 0;
}
