/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax get. A file appears under its name only when it is whole. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/cli.h"
#include "web/cli/file.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

struct wanted {
    char *path; /* of the API */
    char *name; /* of the default file */
};

static int choose(struct wanted *wanted, const struct cli *cli, const char *id)
{
    const char *page = cli_value(cli, "page"), *width = cli_value(cli, "width");
    const char *original_number = cli_value(cli, "number");
    int64_t number = 0, dots = 0, which = 1;
    if ((original_number != NULL && str_to_int(&which, original_number, 1, 1000) != 0) ||
        (page != NULL && str_to_int(&number, page, 1, 100000) != 0) ||
        (width != NULL && str_to_int(&dots, width, 1, 100000) != 0)) {
        text_complain("--page, --width and --number want a number");
        return VERDICT_ERROR;
    }
    /* The default name is in this folder, whatever the id looks like. */
    if (strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != strlen(id)) {
        text_complain("\"%s\" is no id of a fax", id);
        return VERDICT_ERROR;
    }
    bool tiff = cli_value(cli, "tiff") != NULL, original = cli_value(cli, "original") != NULL;
    if (cli_value(cli, "receipt") != NULL) {
        wanted->path = xasprintf("/v1/faxes/%s/receipt", id);
        wanted->name = xasprintf("receipt-%s.pdf", id);
    } else if (page != NULL) {
        wanted->path = width != NULL ? xasprintf("/v1/faxes/%s/pages/%d?w=%d", id, (int)number, (int)dots)
                                     : xasprintf("/v1/faxes/%s/pages/%d", id, (int)number);
        wanted->name = xasprintf("%s-%d.png", id, (int)number);
    } else {
        bool searchable = cli_value(cli, "searchable") != NULL;
        wanted->path = original ? xasprintf("/v1/faxes/%s/document?copy=original&n=%d", id, (int)which)
                                : xasprintf("/v1/faxes/%s/document?format=%s", id,
                                            tiff         ? "tiff"
                                            : searchable ? "pdf-searchable"
                                                         : "pdf");
        wanted->name =
            original ? xasprintf("%s-original-%d", id, (int)which) : xasprintf("%s.%s", id, tiff ? "tif" : "pdf");
    }
    return VERDICT_OK;
}

static int get(struct cli *cli)
{
    struct wanted wanted = {NULL, NULL};
    int verdict = choose(&wanted, cli, cli->words[0]);
    const char *output = cli_value(cli, "output");
    if (verdict == VERDICT_OK)
        verdict = file_save(cli, wanted.path, output != NULL ? output : wanted.name);
    free(wanted.path);
    free(wanted.name);
    return verdict;
}

static const struct cli_option options[] = {
    {"pdf", 0, CLI_FLAG, NULL, "as PDF (default)", .field = NULL},
    {"tiff", 0, CLI_FLAG, NULL, "as TIFF", .field = NULL},
    {"searchable", 0, CLI_FLAG, NULL, "as PDF whose text can be searched, where the server offers it", .field = NULL},
    {"original", 0, CLI_FLAG, NULL, "the document as it was uploaded", .field = NULL},
    {"number", 0, CLI_NUMBER, "N", "which of several documents, with --original", .field = NULL},
    {"page", 0, CLI_NUMBER, "N", "page N as PNG", .field = NULL},
    {"width", 0, CLI_NUMBER, "N", "of that picture, in dots", .field = NULL},
    {"receipt", 0, CLI_FLAG, NULL, "what became of it, on one sheet of PDF", .field = NULL},
    {"output", 'o', CLI_TEXT, "FILE",
     "where to (default ID.pdf, ID.tif, ID-N.png, receipt-ID.pdf; - is standard output)", .complete = "@file"},
    {.name = NULL},
};

const struct cli_command get_command = {"get",
                                        "ID",
                                        "save a fax as PDF or TIFF, a page as PNG, or its receipt",
                                        "The file appears when it is whole.",
                                        .options = options,
                                        .run = get,
                                        .complete = "/v1/faxes id to"};
