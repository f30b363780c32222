/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For people and scripts. The document is decoded in a child in the same sandbox as the daemon's, so that a hostile
 * file costs no more than an exit status.
 */
#include "config.h"

#include "spool/convert/command.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/str.h"
#include "spool/convert/child.h"
#include "spool/convert/compose.h"

#define RESULT_MAX 65536

static const char help[] =
    "Usage: faxd-convert [OPTION...] INPUT... OUTPUT\n"
    "Turn a document into fax TIFF, or a fax into PDF or page images.\n"
    "\n"
    "  --op OP            prepare (default): PDF, text, TIFF, JPEG, PNG, GIF, BMP, WebP, HEIC or SVG to fax TIFF\n"
    "                     compose: several faxes to one, with --cover after the first INPUT, a template\n"
    "                     cut: pages from --first on, as a new fax, with --header\n"
    "                     verify: the whole pages of a received file, perhaps broken off\n"
    "                     png: one page as a grey picture      pdf: all pages\n"
    "                     receipt: a sheet about a fax, with --sheet\n"
    "                     info: describe INPUT, measure: what its pages cost on the line; no OUTPUT\n"
    "  --resolution NAME  prepare: standard, fine (default) or superfine\n"
    "  --dither NAME      prepare: auto (default), threshold, diffusion or halftone\n"
    "  --paper NAME       prepare: of a text; a4 (default), letter or legal\n"
    "  --max-width N      prepare: widest page, 1728 (default), 2048 (B4) or 2432 (A3)\n"
    "  --max-length-mm N  prepare: shrink longer pages to it (default 0: any length)\n"
    "  --max-pages N      prepare: refuse longer documents (default 500)\n"
    "  --pages LIST       prepare: only these pages, as 1-3,7,9-\n"
    "  --password WORD    prepare: of an encrypted PDF\n"
    "  --strict           prepare: keep only pages that are 1728 wide at that resolution\n"
    "  --cover JSON       compose: the fields of the cover page, as {\"to_name\":\"Ann\"}\n"
    "  --sheet JSON       receipt: what it says, as {\"title\":\"Proof\"}\n"
    "  --header TEXT      cut: the line on top of each page\n"
    "  --first N          cut: the first page to keep\n"
    "  --repeat-first     cut: with page 1 before it\n"
    "  --most-pages N     verify: at most so many pages\n"
    "  --page N           png: which page (default 1)\n"
    "  --width N          png: how many dots wide (default: as the page)\n"
    "  --memory-mb N  --cpu-s N  --file-mb N  --wall-s N\n"
    "                     limits (default 512 MB of address space, 60 s of computing, 256 MB of output, 600 s)\n"
    "  --spawner          serve jobs on descriptor 3 (used by faxd)\n"
    "  --help  --version\n"
    "\n"
    "The result goes to standard output as one line of JSON.\n"
    "Exit status: 0 done; 1 the document cannot be converted; 2 wrong usage; 3 a file cannot be opened or written;\n"
    "4 the converter crashed on this document (OUTPUT is removed after 1, 3 and 4).\n";

enum option_kind {
    OPTION_TEXT,
    OPTION_NUMBER,
    OPTION_FLAG,
    OPTION_LIMIT,
    OPTION_MEGABYTES,
    OPTION_JSON,
    OPTION_HEADER
};

static const struct {
    const char *name, *key;
    enum option_kind kind;
} options[] = {
    {"op", "op", OPTION_TEXT},
    {"resolution", "resolution", OPTION_TEXT},
    {"dither", "dither", OPTION_TEXT},
    {"max-length-mm", "max_length_mm", OPTION_NUMBER},
    {"max-pages", "max_pages", OPTION_NUMBER},
    {"strict", "strict", OPTION_FLAG},
    {"first", "first", OPTION_NUMBER},
    {"most-pages", "most_pages", OPTION_NUMBER},
    {"page", "page", OPTION_NUMBER},
    {"paper", "paper", OPTION_TEXT},
    {"max-width", "max_width", OPTION_NUMBER},
    {"pages", "pages", OPTION_TEXT},
    {"password", "password", OPTION_TEXT},
    {"cover", "cover", OPTION_JSON},
    {"sheet", "sheet", OPTION_JSON},
    {"header", "header", OPTION_HEADER},
    {"width", "width", OPTION_NUMBER},
    {"memory-mb", "memory_bytes", OPTION_MEGABYTES},
    {"cpu-s", "cpu_s", OPTION_LIMIT},
    {"file-mb", "file_bytes", OPTION_MEGABYTES},
    {"wall-s", "wall_s", OPTION_LIMIT},
    {"repeat-first", "repeat_first", OPTION_FLAG},
};

#define OPTION_COUNT (sizeof options / sizeof options[0])
#define ASKS_HELP    1000
#define ASKS_VERSION 1001

static int usage(const char *message)
{
    fprintf(stderr, "faxd-convert: %s\nTry faxd-convert --help.\n", message);
    return COMMAND_USAGE;
}

static int set_option(json_t *job, json_t *limits, size_t index, const char *text)
{
    int64_t number = 0;
    enum option_kind kind = options[index].kind;
    const char *key = options[index].key;
    if (kind == OPTION_FLAG)
        return json_object_set_new(job, key, json_true());
    if (kind == OPTION_TEXT || kind == OPTION_JSON || kind == OPTION_HEADER) {
        json_t *value = kind == OPTION_TEXT   ? json_string(text)
                        : kind == OPTION_JSON ? json_loads(text, 0, NULL)
                                              : json_pack("{s:s}", "text", text);
        return value == NULL
                   ? err_set(ERR_INVALID, "--%s is not %s", options[index].name, kind == OPTION_JSON ? "JSON" : "UTF-8")
                   : json_object_set_new(job, key, value);
    }
    if (str_to_int(&number, text, -1, 1000000) != 0)
        return err_set(ERR_INVALID, "--%s wants a number, not \"%.40s\"", options[index].name, text);
    if (kind == OPTION_NUMBER)
        return json_object_set_new(job, key, json_integer(number));
    return json_object_set_new(limits, key, json_integer(kind == OPTION_MEGABYTES ? number << 20 : number));
}

/* Arguments to a job: -1 and the job, or the exit status. */
static int parse(json_t *job, int argc, char **argv)
{
    struct option table[OPTION_COUNT + 3] = {{0}};
    for (size_t i = 0; i < OPTION_COUNT; i++)
        table[i] = (struct option){options[i].name, options[i].kind == OPTION_FLAG ? no_argument : required_argument,
                                   NULL, (int)i};
    table[OPTION_COUNT] = (struct option){"help", no_argument, NULL, ASKS_HELP};
    table[OPTION_COUNT + 1] = (struct option){"version", no_argument, NULL, ASKS_VERSION};
    json_t *limits = json_object_get(job, "limits");
    for (;;) {
        int found = getopt_long(argc, argv, "", table, NULL);
        if (found == -1)
            return -1;
        if (found == ASKS_HELP)
            return fputs(help, stdout) >= 0 ? COMMAND_OK : COMMAND_SYSTEM;
        if (found == ASKS_VERSION)
            return puts("faxd-convert " PACKAGE_VERSION) >= 0 ? COMMAND_OK : COMMAND_SYSTEM;
        if (found < 0 || (size_t)found >= OPTION_COUNT)
            return usage("an option is not known, or lacks its value");
        if (set_option(job, limits, (size_t)found, optarg) != 0)
            return usage(err_message());
    }
}

/* What the child says; NULL when it says nothing, which is a crash. New reference. */
static json_t *read_result(int socket)
{
    static char text[RESULT_MAX + 1];
    json_t *result = NULL;
    ssize_t got;
    while ((got = recv(socket, text, RESULT_MAX, 0)) > 0 || (got < 0 && errno == EINTR)) {
        if (got < 0)
            continue;
        json_decref(result);
        result = json_loadb(text, (size_t)got, 0, NULL);
        if (json_object_get(result, "started") != NULL || json_object_get(result, "progress") != NULL) {
            json_decref(result);
            result = NULL;
        }
    }
    return result;
}

static int report(json_t *result, pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    if (result == NULL) {
        fprintf(stderr, "faxd-convert: the converter crashed on this document (status %d)\n", status);
        return COMMAND_CRASH;
    }
    json_dumpf(result, stdout, JSON_COMPACT);
    putchar('\n');
    const char *message = json_string_value(json_object_get(result, "message"));
    if (json_object_get(result, "error") == NULL)
        return COMMAND_OK;
    fprintf(stderr, "faxd-convert: %s\n", message != NULL ? message : "failed");
    return COMMAND_DOCUMENT;
}

static int run_in_child(const json_t *job, const int *inputs, int count, int output)
{
    int pair[2];
    char *text = json_dumps(job, JSON_COMPACT);
    if (text == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        perror("faxd-convert: socketpair");
        free(text);
        return COMMAND_SYSTEM;
    }
    child_warm();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(pair[0]);
        _exit(child_run(text, inputs, count, output, pair[1]));
    }
    free(text);
    close(pair[1]);
    int status = COMMAND_SYSTEM;
    if (child < 0) {
        perror("faxd-convert: fork");
    } else {
        json_t *result = read_result(pair[0]);
        status = report(result, child);
        json_decref(result);
    }
    close(pair[0]);
    return status;
}

static int open_file(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0666);
    if (fd < 0)
        fprintf(stderr, "faxd-convert: cannot open %s: %s\n", path, strerror(errno));
    return fd;
}

/* "info" writes nothing, but a child wants a descriptor: one without a name. */
static int open_output(const char *path)
{
    if (path != NULL)
        return open_file(path, O_RDWR | O_CREAT);
    FILE *nowhere = tmpfile();
    return nowhere != NULL ? dup(fileno(nowhere)) : -1;
}

static int convert(const json_t *job, char **input_paths, int count, const char *output_path)
{
    int status = COMMAND_SYSTEM, output = -1, inputs[COMPOSE_INPUTS_MAX], opened = 0;
    while (opened < count && (inputs[opened] = open_file(input_paths[opened], O_RDONLY)) >= 0)
        opened++;
    if (opened == count)
        output = open_output(output_path);
    if (output >= 0)
        status = run_in_child(job, inputs, count, output);
    if (status != COMMAND_OK && output >= 0 && output_path != NULL)
        unlink(output_path);
    if (output >= 0)
        close(output);
    while (opened > 0)
        close(inputs[--opened]);
    return status;
}

int command_run(int argc, char **argv)
{
    json_t *job = json_pack("{s:s, s:{}}", "op", "prepare", "limits");
    int status = parse(job, argc, argv);
    if (status < 0) {
        const char *op = json_string_value(json_object_get(job, "op"));
        bool info = strcmp(op, "info") == 0 || strcmp(op, "measure") == 0;
        int inputs = argc - optind - (info ? 0 : 1);
        bool several = strcmp(op, "compose") == 0;
        if (inputs < 1 || (inputs > 1 && !several) || inputs > COMPOSE_INPUTS_MAX)
            status = usage(info ? "info and measure want one file, INPUT" : "two files are wanted, INPUT and OUTPUT");
        else
            status = convert(job, argv + optind, inputs, info ? NULL : argv[argc - 1]);
    }
    json_decref(job);
    return status;
}
