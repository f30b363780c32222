/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real T.30 engine, driven as an FSP drives it: two calls joined by a socket pair, unpaced. */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/fsp/call_pair.h"

static char work[64];
static struct engine *engine;

static const char *data(char path[256], const char *name)
{
    snprintf(path, 256, "%s/tests/data/%s", getenv("FAXD_SRC"), name);
    return path;
}

static void use_itu(struct pair *pair, const char *name)
{
    char path[256];

    pair_init(pair, work, data(path, name));
}

static void run(struct pair *pair)
{
    pair_start(pair, engine, engine);
    pair_finish(pair);
}

static void check_delivered(struct pair *pair, int pages)
{
    struct pair_end *sender = &pair->ends[PAIR_SENDER], *receiver = &pair->ends[PAIR_RECEIVER];

    assert_string_equal(pair_text(sender, "outcome"), "success");
    assert_string_equal(pair_text(receiver, "outcome"), "success");
    assert_int_equal(pair_number(sender, "pages_confirmed"), pages);
    assert_int_equal(pair_number(receiver, "pages_received"), pages);
    assert_int_equal(sender->pages, pages);
    assert_int_equal(receiver->pages, pages);
    assert_true(sender->journal.answered && sender->journal.end_sent && sender->journal.final_confirmed);
    assert_true(sender->journal.closed && receiver->journal.closed);
    assert_int_equal(sender->journal.pages_confirmed, pages);
    assert_int_equal(receiver->journal.pages_received, pages);
    assert_true(receiver->journal.receive_complete);
    assert_int_equal(pair_same_pages(pair->received, pair->document), pages);
}

static void v17_ecm_mmr_is_bit_exact(void **state)
{
    static const char *const names[] = {"itu1.tif", "itu2.tif", "itu3.tif", "itu5.tif"};
    struct pair pair;
    size_t i;

    (void)state;
    for (i = 0; i < 4; i++) {
        use_itu(&pair, names[i]);
        run(&pair);
        check_delivered(&pair, 1);
        assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "modem"), "V.17");
        assert_int_equal(pair_number(&pair.ends[PAIR_SENDER], "rate_bps"), 14400);
        assert_true(pair_true(&pair.ends[PAIR_RECEIVER], "ecm"));
        assert_string_equal(pair_text(&pair.ends[PAIR_RECEIVER], "compression"), "T.6");
        assert_string_equal(pair_text(&pair.ends[PAIR_RECEIVER], "resolution"), "204x196");
        assert_string_equal(pair_text(&pair.ends[PAIR_RECEIVER], "remote_station_id"), "+15550001");
        assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "remote_station_id"), "+15550002");
        assert_string_equal(pair.ends[PAIR_SENDER].phases, "negotiating sending ");
        assert_string_equal(pair.ends[PAIR_RECEIVER].phases, "negotiating receiving ");
        pair_clear(&pair);
    }
}

static int open_engine(void **state)
{
    const char *build = getenv("FAXD_BUILD");
    char program[512];

    (void)state;
    log_open("test_engine", LOG_LEVEL_INFO);
    snprintf(work, sizeof work, "/tmp/faxd-test-engine-XXXXXX");
    if (!mkdtemp(work))
        return -1;
    snprintf(program, sizeof program, "%s/faxd-t30", build);
    return engine_open(&engine, program, 1);
}

static int close_engine(void **state)
{
    (void)state;
    engine_close(engine);
    return rmdir(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v17_ecm_mmr_is_bit_exact),
    };

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
