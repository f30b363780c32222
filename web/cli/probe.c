/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One way to test what takes its time. */
#include "config.h"

#include "web/cli/probe.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define LOOK_MS 200

static void pause_ms(int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

static int give_up(int patience_s, const char *hint)
{
    char *said = xasprintf("no result within %d s%s", patience_s, hint);
    text_complain("%s", said);
    free(said);
    return VERDICT_ERROR;
}

int probe_run(json_t **object, struct cli *cli, const char *path, const json_t *(*test_of)(const json_t *object),
              int patience_s, const char *hint)
{
    json_t *before = NULL;
    char *order = xasprintf("%s/test", path);
    *object = NULL;
    int verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_request(&before, cli->client, "GET", path, NULL);
    if (verdict == VERDICT_OK)
        verdict = client_request(NULL, cli->client, "POST", order, NULL);
    int64_t until = clock_mono_ms() + patience_s * 1000LL;
    for (bool done = false; verdict == VERDICT_OK && !done;) {
        json_decref(*object);
        *object = NULL;
        verdict = client_request(object, cli->client, "GET", path, NULL);
        const json_t *test = test_of(*object), *old = test_of(before);
        done = test != NULL && (old == NULL || !json_equal(test, old));
        if (verdict == VERDICT_OK && !done && clock_mono_ms() >= until)
            verdict = give_up(patience_s, hint);
        if (verdict == VERDICT_OK && !done)
            pause_ms(LOOK_MS);
    }
    json_decref(before);
    free(order);
    return verdict;
}
