/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands about things of one kind have in common: list, show, add, change, remove, by the tables of the command
 * (cli.h) and of the kind.
 *
 * A thing is named by its id, or by its name where ids of its kind have a prefix: a word without that is looked for
 * among the names, and has to be that of one thing alone.
 *
 * Thread: one.
 */
#ifndef FAXD_CLI_RESOURCE_H
#define FAXD_CLI_RESOURCE_H

#include <jansson.h>
#include <stdbool.h>

#include "web/cli/listing.h"

struct cli_option;

struct resource {
    const char *path;   /* "/v1/users" */
    const char *noun;   /* "user" */
    const char *prefix; /* of ids: "usr_"; NULL: any word is the id */
    const char *query;  /* what a name is searched with: "q"; NULL: the whole list is looked through */
    bool is_paged;
    const struct column *columns;
    const char *called; /* member with the name, NULL = "name" */
};

/* The id of what `word` names, percent-encoded for a path. The caller frees. An exit status, with the reason said. */
int resource_id(char **id, struct cli *cli, const struct resource *resource, const char *word);

/* A request about the thing that `word` names; `tail` ("/test") follows its id. */
int resource_request(json_t **reply, struct cli *cli, const char *method, const char *word, const char *tail,
                     const json_t *body);

/* The value of an option as the API has it: an id for a name. The caller frees. */
int resource_value(char **value, struct cli *cli, const struct cli_option *option, const char *given);

/* What operands and options say, as the body of a request. The caller frees. */
int resource_body(json_t **body, struct cli *cli);

/* Set the member at a path of keys. Takes `value` over. */
void resource_set(json_t *body, const char *path, json_t *value);

/* Commands as they are: a list; one object; a new one, of which the id is printed; a change of the one that the first
 * operand names; one or several removed. */
int resource_list(struct cli *cli);
int resource_show(struct cli *cli);
int resource_add(struct cli *cli);
int resource_change(struct cli *cli);
int resource_remove(struct cli *cli);

/* POST the options as a body to `tail` of what the first operand names, and print `member` of the reply (NULL = say
 * nothing). */
int resource_post(struct cli *cli, const char *tail, const char *member);

/* PATCH what the first operand names with `body`, which is taken over. */
int resource_patch(struct cli *cli, json_t *body);
/* The same, and an empty body is told to be nothing to change. */
int resource_change_to(struct cli *cli, json_t *body);

/* The kinds that several commands are about, or that options name. */
extern const struct resource fax_resource, user_resource, assignee_resource, group_resource;

#endif
