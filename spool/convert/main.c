/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxd-convert: documents in, documents out, each in a sandboxed child. spool/converter.c starts it as a spawner; the
 * same program runs by hand.
 */
#include <string.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/base/spawner.h"
#include "spool/convert/child.h"
#include "spool/convert/command.h"

static int run_job(char *text, const int *fds, int count, void *context)
{
    (void)context;
    if (count < 3) {
        log_error("a job came with %d descriptors, not inputs, output and result", count);
        return 1;
    }
    return child_run(text, fds, count - 2, fds[count - 2], fds[count - 1]);
}

int main(int argc, char **argv)
{
    log_open("faxd-convert", LOG_LEVEL_INFO);
    if (argc == 2 && strcmp(argv[1], "--spawner") == 0) {
        child_warm();
        return spawner_serve(SPAWNER_FD, run_job, NULL);
    }
    return command_run(argc, argv);
}
