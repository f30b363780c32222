/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion for shells: `fax --complete WORD...`, where the last word is the one that is being typed. It is answered
 * from the tables of commands and, for names of things, by the server, if it is there at once.
 *
 * What a table says of a word (`complete` of cli.h), for operands with | between the first and the next:
 *   "admin reader"         these words
 *   "@file"                files
 *   "/v1/lines id state"   a list of the API: the member to complete with, and one that says what it is
 * Options and commands that name a thing of a kind (`of`, `resource`) need no word of it.
 *
 * Thread: one.
 */
#ifndef FAXD_CLI_COMPLETE_H
#define FAXD_CLI_COMPLETE_H

struct cli;

/* Print what fits, one a line, with a tab before what it is; "@file" alone when a file is wanted. Returns an exit
 * status; a server that cannot be asked is none. */
int complete_print(struct cli *cli, int count, char **words);

#endif
