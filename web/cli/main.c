/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax: send and follow faxes from the command line, through faxd's REST API, and look after the server. One file for
 * each command; web/cli/fax.1 is the manual.
 */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/complete.h"
#include "web/cli/help.h"
#include "web/cli/verdict.h"

const struct cli_command *const cli_commands[] = {
    &send_command,  &preview_command,   &list_command,    &show_command,        &trace_command,
    &watch_command, &cancel_command,    &hold_command,    &release_command,     &change_command,
    &retry_command, &resend_command,    &forward_command, &inbox_command,       &batch_command,
    &purge_command, &get_command,       &link_command,    &event_command,       &lines_command,
    &line_command,  &provider_command,  &trunk_command,   &destination_command, &contact_command,
    &group_command, &identity_command,  &cover_command,   &rule_command,        &route_command,
    &block_command, &user_command,      &key_command,     &webhook_command,     &report_command,
    &audit_command, &dashboard_command, &system_command,  &health_command,      &simulate_command,
    NULL,
};

static int run(struct cli *cli, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--version") == 0)
        return puts("fax " PACKAGE_VERSION) >= 0 ? VERDICT_OK : VERDICT_ERROR;
    if (strcmp(word, "--manual") == 0)
        return help_print_manual(stdout);
    if (strcmp(word, "--complete") == 0)
        return complete_print(cli, argc - 2, argv + 2);
    return cli_run(cli, argc, argv);
}

int main(int argc, char **argv)
{
    struct cli cli = {0};
    /* What the server says is UTF-8, and so are its widths. */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        setlocale(LC_CTYPE, "");
    log_open("fax", LOG_LEVEL_ERROR);
    int verdict = run(&cli, argc, argv);
    cli_clear(&cli);
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        return VERDICT_ERROR;
    return verdict;
}
