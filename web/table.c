/* SPDX-License-Identifier: GPL-2.0-or-later */
/* csv_write() writes to a file, which is memory here. */
#include "config.h" /* open_memstream */

#include "web/table.h"

#include "web/request.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdlib.h>

static void send_file(struct request *request, const char *name, const char *text, size_t size)
{
    char *disposition = xasprintf("attachment; filename=\"%s\"", name);

    request_header(request, "Content-Disposition", disposition);
    request_reply_text(request, 200, "text/csv; charset=utf-8", text, size);
    free(disposition);
}

void table_send(struct request *request, const char *name, const json_t *text)
{
    send_file(request, name, json_string_value(text), json_string_length(text));
}

void table_reply(struct request *request, const char *name, void (*write)(FILE *out, const void *context),
                 const void *context)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool failed = !out;

    if (out) {
        write(out, context);
        failed = ferror(out) != 0;
        failed = fclose(out) != 0 || failed;
    }
    if (failed)
        request_error(request, err_set(ERR_INTERNAL, "no memory for the table %s", name));
    else
        send_file(request, name, text, size);
    free(text);
}
