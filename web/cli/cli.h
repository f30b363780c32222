/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every command shares: options, the server's address and key, the table of commands.
 *
 * Thread: one.
 */
#ifndef FAXD_CLI_CLI_H
#define FAXD_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>

struct client;

struct cli {
    const char *server, *key_file, *state; /* options, NULL = not given */
    bool json;
    struct client *client; /* opened by cli_client */
};

enum cli_option_kind { CLI_FLAG, CLI_VALUE, CLI_LIST };

/* One option of a command, filled in by cli_parse. A table ends with a NULL name. Values are borrowed from argv. */
struct cli_option {
    const char *name;
    enum cli_option_kind kind;
    char letter;         /* short form, 0 = none */
    const char *value;   /* of a flag: "" when given; of a list: the last */
    const char **values; /* of a list, `count` of them; freed by cli_options_free */
    int count;
};

/* Read a command's arguments: its own options and those of all commands (--json, --server, --key-file, --state,
 * --help), in any order with operands. `*operands` gets the index of the first operand in the reordered argv. Returns
 * -1 to go on, or an exit status when all is said (help printed, an option not known, fewer than `low` or more than
 * `high` operands). */
int cli_parse(int *operands, struct cli *cli, struct cli_option *options, int argc, char **argv, const char *help,
              int low, int high);

/* The option called `name`, which has to be in the table; NULL value when not given. */
const char *cli_value(const struct cli_option *options, const char *name);
const struct cli_option *cli_find(const struct cli_option *options, const char *name);

void cli_options_free(struct cli_option *options);

/* Open the client as options and environment say. 0 or an exit status, with the reason said. */
int cli_client(struct cli *cli);

/* Send a request and print the reply as JSON when --json was given; else `*reply` is the caller's to print and free.
 * Returns an exit status; with 0 and *reply NULL all is done. */
int cli_request(json_t **reply, struct cli *cli, const char *method, const char *path, const json_t *body);

struct command {
    const char *name, *summary;
    int (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the command; returns an exit status */
};

/* The commands, one file each (show.c has attempts as well, watch.c has wait, again.c has three). */
int send_run(struct cli *cli, int argc, char **argv);
int list_run(struct cli *cli, int argc, char **argv);
int show_run(struct cli *cli, int argc, char **argv);
int watch_run(struct cli *cli, int argc, char **argv);
int cancel_run(struct cli *cli, int argc, char **argv);
int preview_run(struct cli *cli, int argc, char **argv);
int purge_run(struct cli *cli, int argc, char **argv);
int retry_run(struct cli *cli, int argc, char **argv);
int resend_run(struct cli *cli, int argc, char **argv);
int forward_run(struct cli *cli, int argc, char **argv);
int inbox_run(struct cli *cli, int argc, char **argv);
int batch_run(struct cli *cli, int argc, char **argv);
int get_run(struct cli *cli, int argc, char **argv);
int link_run(struct cli *cli, int argc, char **argv);
int lines_run(struct cli *cli, int argc, char **argv);
int line_run(struct cli *cli, int argc, char **argv);
int trunk_run(struct cli *cli, int argc, char **argv);
int destination_run(struct cli *cli, int argc, char **argv);
int trace_run(struct cli *cli, int argc, char **argv);
int health_run(struct cli *cli, int argc, char **argv);
int key_run(struct cli *cli, int argc, char **argv);
int webhook_run(struct cli *cli, int argc, char **argv);

/* Run one of `commands` (ended by a NULL name) as argv[1] says: for commands that have commands of their own. */
int cli_sub(struct cli *cli, const struct command *commands, int argc, char **argv, const char *help);

#endif
