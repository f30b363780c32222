/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax cover. */
#include "config.h"

#include <stdlib.h>

#include "web/cli/cli.h"
#include "web/cli/file.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const struct column columns[] = {
    {.head = "Name", .path = "name"},
    {.head = "Configured", .path = "from_config"},
    {"Changed", "updated_at", .is_time = true},
    {.head = "Fields", .path = "fields"},
    {"Octets", "size", .is_detail = true},
    {"Created", "created_at", .is_time = true, .is_detail = true},
    {.head = NULL},
};

static const struct resource covers = {
    .path = "/v1/cover-pages", .noun = "cover page", .is_paged = true, .columns = columns};

/* {"template": the file's text}; NULL and an exit status. */
static int read_template(json_t **body, const char *path)
{
    char *text;
    size_t size;
    int verdict = file_read(&text, &size, path);
    *body = NULL;
    if (verdict != VERDICT_OK)
        return verdict;
    json_t *template = json_stringn(text, size);
    free(text);
    if (template == NULL) {
        text_complain("%s is no text in UTF-8", path);
        return VERDICT_ERROR;
    }
    *body = json_pack("{s:o}", "template", template);
    return VERDICT_OK;
}

static int add(struct cli *cli)
{
    json_t *body, *reply = NULL;
    int verdict = read_template(&body, cli->words[1]);
    if (verdict == VERDICT_OK) {
        json_object_set_new(body, "name", json_string(cli->words[0]));
        verdict = cli_request(&reply, cli, "POST", covers.path, body);
    }
    json_decref(reply);
    json_decref(body);
    return verdict;
}

static int change(struct cli *cli)
{
    json_t *body;
    int verdict = read_template(&body, cli->words[1]);
    return verdict == VERDICT_OK ? resource_patch(cli, body) : verdict;
}

/* As it is to a file or a program; a terminal gets no controls of it. */
static int print_template(struct cli *cli)
{
    json_t *reply;
    int verdict = resource_request(&reply, cli, "GET", cli->words[0], "", NULL);
    if (reply != NULL) {
        char *template = text_at(reply, "template");
        text_lines(template);
        free(template);
    }
    json_decref(reply);
    return verdict;
}

#define NAMES "/v1/cover-pages name fields"

static const struct cli_command commands[] = {
    {"list", .summary = "list cover pages, and the fields each asks for", .also = listing_options, .run = resource_list,
     .resource = &covers},
    {"show", "NAME", "show a cover page", .run = resource_show, .resource = &covers},
    {"print", "NAME", "print the template of a cover page", .run = print_template, .resource = &covers},
    {"add", "NAME FILE", "make a cover page of a template",
     "FILE (- is standard input) is the template. It is drawn first; with a fault nothing is stored.", .run = add,
     .resource = &covers, .complete = "|@file"},
    {"change", "NAME FILE", "give a cover page another template", .run = change, .resource = &covers,
     .complete = NAMES "|@file"},
    {"remove", "NAME...", "remove cover pages", .run = resource_remove, .resource = &covers},
    {.name = NULL},
};

const struct cli_command cover_command = {
    "cover", .summary = "cover pages",
    .more =
        "fax preview --cover NAME -o FILE shows one. Those of the configuration are files of the server, which are not "
        "changed from here.",
    .commands = commands};
