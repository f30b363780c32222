/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/cover-pages: the templates there are, and which fields each asks for. One is looked at by a preview. */
#include "spool/cover.h"
#include "web/api.h"
#include "web/request.h"
#include "web/web_private.h"

#include <stdlib.h>

void covers_list(struct request *request)
{
    const struct spool *spool = request->web->options.spool;
    json_t *names = cover_list(spool), *list = json_array(), *name;
    size_t i;

    json_array_foreach(names, i, name)
    {
        char *data;
        size_t size;
        if (cover_read(&data, &size, spool, json_string_value(name)) != 0)
            continue; /* it went meanwhile */
        json_array_append_new(list, json_pack("{s:O, s:o}", "name", name, "fields", cover_fields(data, size)));
        free(data);
    }
    json_decref(names);
    request_reply(request, 200, json_pack("{s:o}", "data", list));
}
