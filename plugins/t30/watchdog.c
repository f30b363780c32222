/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CPU timer that looks whether work goes on. The counter and what the handler saw of it are the only state of the
 * engine outside a session: a signal handler has no argument of ours. */
#include "config.h"

#include "plugins/t30/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "server/base/err.h"

static volatile sig_atomic_t steps;
static volatile sig_atomic_t steps_seen = -1;

static void look(int signal_number)
{
    static const char text[] = "error faxd-t30: a call hangs in one step, the engine ends\n";

    (void)signal_number;
    if (steps == steps_seen) {
        if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
            _exit(71);
        _exit(70);
    }
    steps_seen = steps;
}

int watchdog_start(void)
{
    struct sigaction action = {.sa_handler = look, .sa_flags = SA_RESTART};
    struct itimerval interval = {.it_interval = {.tv_sec = WATCHDOG_S}, .it_value = {.tv_sec = WATCHDOG_S}};

    sigemptyset(&action.sa_mask);
    if (sigaction(SIGPROF, &action, NULL) != 0 || setitimer(ITIMER_PROF, &interval, NULL) != 0)
        return err_set(ERR_IO, "cannot start the watchdog: %s", strerror(errno));
    return 0;
}

void watchdog_step(void)
{
    steps = (steps + 1) & 0xFFFFFF;
}
