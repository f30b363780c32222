/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every command shares: tables of commands and options, from which help, manual page and completion are made, and
 * what was given of them; the server's address and key.
 *
 * Thread: one.
 */
#ifndef FAXD_CLI_CLI_H
#define FAXD_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>

struct client;
struct cli;
struct resource;

enum cli_kind {
    CLI_FLAG,   /* has no value */
    CLI_TEXT,   /* a text; "" is null in a body, unless its field ends with = */
    CLI_NUMBER, /* a whole number from 0 */
    CLI_SWITCH, /* yes or no */
    CLI_LIST,   /* may be repeated; of numbers when `word` is "N" */
    CLI_WORDS   /* the same, with commas between */
};

/* One option. A table ends with a NULL name. */
struct cli_option {
    const char *name;
    char letter; /* short form, 0 = none */
    enum cli_kind kind;
    const char *word; /* how help calls its value, NULL of a flag */
    const char *help;
    /* Where it goes in a request: a member ("window.from"), a query ("?status"), with a value for a flag ("ecm=false",
     * else true). NULL: the command looks itself. */
    const char *field;
    const char *complete;      /* values, see complete.h; NULL = none to offer */
    const struct resource *of; /* the value is a name or an id of such a thing, and an id in the request */
};

/* A command, or with `commands` a group of them. A table ends with a NULL name. */
struct cli_command {
    const char *name;
    const char *words;          /* operands as help shows them: "ID...", "ID [CALL]"; they are counted by it too */
    const char *summary, *more; /* a phrase in lower case; sentences behind it, NULL = none */
    const struct cli_option *options, *also; /* its own, and a table that several commands share; NULL = none */
    const struct cli_command *commands;
    int (*run)(struct cli *cli); /* returns an exit status; of a group: without a word, NULL = that is wrong */
    const struct resource *resource;
    const char *fields;   /* members that the operands become, with spaces between */
    const char *complete; /* operands, see complete.h */
};

/* What was given of an option; `value` is NULL when it was not, and "" of a flag; of a list the last. */
struct cli_given {
    const struct cli_option *option;
    const char *value;
    const char **values;
    int count;
};

#define CLI_OPTIONS_MAX 64

struct cli {
    const char *server, *key_file, *state; /* options, NULL = not given */
    bool json;
    struct client *client; /* opened by cli_client */
    /* the command that runs: its name with that of its group, operands, options */
    const struct cli_command *command;
    char *name;
    char **words;
    int count;
    struct cli_given given[CLI_OPTIONS_MAX];
    int given_count;
};

/* The options of every command, and all commands. */
extern const struct cli_option cli_shared[];
extern const struct cli_command *const cli_commands[]; /* ended by NULL; main.c */

const struct cli_command *cli_command_find(const char *name);
const struct cli_command *cli_sub_find(const struct cli_command *group, const char *name);

/* Every option of a command, the shared ones last, into `all` (room for CLI_OPTIONS_MAX). Returns how many. */
int cli_options(const struct cli_option **all, const struct cli_command *command);

/* How many operands at least and at most: as `words` says. */
void cli_counts(int *low, int *high, const struct cli_command *command);

/* Run what the words of the program say. Returns the exit status, with the reason said. */
int cli_run(struct cli *cli, int argc, char **argv);

/* Frees what cli_run and cli_client have made. */
void cli_clear(struct cli *cli);

/* The option called `name`, which has to be in the table; NULL value when it was not given. */
const char *cli_value(const struct cli *cli, const char *name);
const struct cli_given *cli_find(const struct cli *cli, const char *name);

/* Take a shared option ("--json", "--server URL", "--server=URL") at words[*at]: true, and *at is its last word. */
bool cli_take_shared(struct cli *cli, int *at, int count, char **words);

/* Open the client as options and environment say. 0 or an exit status, with the reason said. */
int cli_client(struct cli *cli);

/* Send a request and print the reply as JSON when --json was given; else `*reply` is the caller's to print and free.
 * Returns an exit status; with 0 and *reply NULL all is done. */
int cli_request(json_t **reply, struct cli *cli, const char *method, const char *path, const json_t *body);

/* Do `one` for each operand, as far as there is a server; the exit status of the last that failed. */
int cli_each(struct cli *cli, int (*one)(struct cli *cli, const char *word));

/* The commands, one file each (show.c has cancel as well, again.c has three, queue.c has three). */
extern const struct cli_command send_command, preview_command, list_command, show_command, trace_command, watch_command,
    cancel_command, hold_command, release_command, change_command, retry_command, resend_command, forward_command,
    inbox_command, batch_command, purge_command, get_command, link_command, event_command, lines_command, line_command,
    provider_command, trunk_command, destination_command, contact_command, group_command, identity_command,
    cover_command, rule_command, route_command, block_command, user_command, key_command, webhook_command,
    report_command, audit_command, dashboard_command, system_command, health_command, simulate_command;

#endif
