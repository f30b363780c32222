/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files in, whole files out. */
#include "config.h"

#include "web/cli/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/listing.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define PIECE 65536

static int refuse(const char *verb, const char *path, const char *why)
{
    char *said = xasprintf("cannot %s %s: %s", verb, path, why);
    text_complain("%s", said);
    free(said);
    return VERDICT_ERROR;
}

int file_read(char **text, size_t *size, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rbe");
    int verdict = VERDICT_OK;
    size_t got;
    *text = NULL;
    *size = 0;
    if (file == NULL)
        return refuse("read", path, strerror(errno));
    do {
        *text = xrealloc(*text, *size + PIECE + 1);
        got = fread(*text + *size, 1, PIECE, file);
        *size += got;
    } while (got > 0 && *size <= FILE_MAX);
    (*text)[*size] = '\0';
    if (ferror(file))
        verdict = refuse("read", path, strerror(errno));
    else if (*size > FILE_MAX)
        verdict = refuse("read", path, "it is too long");
    if (!standard)
        fclose(file);
    if (verdict != VERDICT_OK) {
        free(*text);
        *text = NULL;
    }
    return verdict;
}

int file_read_json(json_t **json, const char *path)
{
    json_error_t fault;
    char *text;
    size_t size;
    *json = NULL;
    int verdict = file_read(&text, &size, path);
    if (verdict != VERDICT_OK)
        return verdict;
    *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault);
    free(text);
    if (*json != NULL)
        return VERDICT_OK;
    char *where = xasprintf("line %d: %s", fault.line, fault.text);
    refuse("read", path, where);
    free(where);
    return VERDICT_ERROR;
}

/* `csv`: the pages of a list. */
static int download(struct cli *cli, const char *path, FILE *file, bool csv)
{
    return csv ? client_download_csv(cli->client, path, file) : client_download(cli->client, path, file);
}

static int to_file(struct cli *cli, const char *path, const char *name, bool csv)
{
    char *part = xasprintf("%s.XXXXXX", name);
    int verdict = VERDICT_ERROR, fd = mkstemp(part);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL) {
        refuse("write", name, strerror(errno));
        if (fd >= 0)
            close(fd);
    } else {
        verdict = download(cli, path, file, csv);
        bool written = fclose(file) == 0;
        if (verdict == VERDICT_OK && (!written || rename(part, name) != 0))
            verdict = refuse("write", name, strerror(errno));
        if (verdict == VERDICT_OK)
            text_print(stderr, "saved %s\n", name);
        else
            unlink(part);
    }
    free(part);
    return verdict;
}

int file_save(struct cli *cli, const char *path, const char *name)
{
    int verdict = cli_client(cli);
    if (verdict != VERDICT_OK)
        return verdict;
    if (strcmp(name, "-") != 0)
        return to_file(cli, path, name, false);
    if (!isatty(STDOUT_FILENO))
        return download(cli, path, stdout, false);
    text_complain("a picture does not go to a terminal: use -o FILE");
    return VERDICT_ERROR;
}

int file_save_csv(struct cli *cli, const char *path)
{
    const char *name = cli_value(cli, "output");
    int verdict;
    char *query = listing_query(&verdict, cli, path);
    if (verdict == VERDICT_OK)
        verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = name != NULL && strcmp(name, "-") != 0 ? to_file(cli, query, name, true)
                                                         : download(cli, query, stdout, true);
    free(query);
    return verdict;
}
