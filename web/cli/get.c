/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax get. A file appears under its name only when it is whole. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char help[] =
    "Usage: fax get ID [OPTION...]\n"
    "Save a fax.\n"
    "\n"
    "      --pdf          as PDF (default)\n"
    "      --tiff         as TIFF\n"
    "      --searchable   as PDF whose text can be searched, where the server offers it\n"
    "      --original     the document as it was uploaded; with --number N the N-th\n"
    "      --number N     which of several documents\n"
    "      --page N       page N as PNG\n"
    "      --receipt      what became of it, on one sheet of PDF\n"
    "      --width N      of that picture, in dots\n"
    "  -o, --output FILE  where to (default ID.pdf, ID.tif, ID-N.png, receipt-ID.pdf; - = standard output)\n";

struct wanted {
    char *path; /* of the API */
    char *name; /* of the default file */
};

static int choose(struct wanted *wanted, const struct cli_option *options, const char *id)
{
    const char *page = cli_value(options, "page"), *width = cli_value(options, "width");
    const char *original_number = cli_value(options, "number");
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
    bool tiff = cli_value(options, "tiff") != NULL, original = cli_value(options, "original") != NULL;
    if (cli_value(options, "receipt") != NULL) {
        wanted->path = xasprintf("/v1/faxes/%s/receipt", id);
        wanted->name = xasprintf("receipt-%s.pdf", id);
    } else if (page != NULL) {
        wanted->path = width != NULL ? xasprintf("/v1/faxes/%s/pages/%d?w=%d", id, (int)number, (int)dots)
                                     : xasprintf("/v1/faxes/%s/pages/%d", id, (int)number);
        wanted->name = xasprintf("%s-%d.png", id, (int)number);
    } else {
        bool searchable = cli_value(options, "searchable") != NULL;
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

static int to_standard_output(struct cli *cli, const char *path)
{
    if (isatty(STDOUT_FILENO)) {
        text_complain("a picture does not go to a terminal: use -o FILE");
        return VERDICT_ERROR;
    }
    return client_download(cli->client, path, stdout);
}

static int to_file(struct cli *cli, const char *path, const char *name)
{
    char *part = xasprintf("%s.XXXXXX", name);
    int verdict = VERDICT_ERROR, fd = mkstemp(part);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL) {
        text_complain("cannot write %s: %s", name, strerror(errno));
        if (fd >= 0)
            close(fd);
    } else {
        verdict = client_download(cli->client, path, file);
        bool written = fclose(file) == 0;
        if (verdict == VERDICT_OK && (!written || rename(part, name) != 0)) {
            text_complain("cannot write %s: %s", name, strerror(errno));
            verdict = VERDICT_ERROR;
        }
        if (verdict == VERDICT_OK)
            text_print(stderr, "saved %s\n", name);
        else
            unlink(part);
    }
    free(part);
    return verdict;
}

int get_run(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {
        {"pdf", CLI_FLAG, 0, NULL, NULL, 0},        {"tiff", CLI_FLAG, 0, NULL, NULL, 0},
        {"original", CLI_FLAG, 0, NULL, NULL, 0},   {"page", CLI_VALUE, 0, NULL, NULL, 0},
        {"searchable", CLI_FLAG, 0, NULL, NULL, 0}, {"number", CLI_VALUE, 0, NULL, NULL, 0},
        {"receipt", CLI_FLAG, 0, NULL, NULL, 0},    {"width", CLI_VALUE, 0, NULL, NULL, 0},
        {"output", CLI_VALUE, 'o', NULL, NULL, 0},  {NULL, CLI_FLAG, 0, NULL, NULL, 0},
    };
    struct wanted wanted = {NULL, NULL};
    int operands = 0;
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 1, 1);
    if (verdict >= 0)
        return verdict;
    verdict = choose(&wanted, options, argv[operands]);
    if (verdict == VERDICT_OK)
        verdict = cli_client(cli);
    const char *output = cli_value(options, "output");
    if (verdict == VERDICT_OK && output != NULL && strcmp(output, "-") == 0)
        verdict = to_standard_output(cli, wanted.path);
    else if (verdict == VERDICT_OK)
        verdict = to_file(cli, wanted.path, output != NULL ? output : wanted.name);
    free(wanted.path);
    free(wanted.name);
    return verdict;
}
