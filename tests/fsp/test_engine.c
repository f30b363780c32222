/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real T.30 engine, driven as an FSP drives it: two calls joined by a socket pair, unpaced. */
#include "config.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/base/clock.h"
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

static const char *program(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", getenv("FAXD_BUILD"), name);
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

/* Both sides get the same extra keys. */
static void set_both(struct pair *pair, const char *json)
{
    json_t *keys = json_loads(json, 0, NULL);
    int i;

    assert_non_null(keys);
    for (i = 0; i < 2; i++)
        json_object_update(pair->ends[i].job, keys);
    json_decref(keys);
}

static void set_one(struct pair_end *end, const char *json)
{
    json_t *keys = json_loads(json, 0, NULL);

    assert_non_null(keys);
    json_object_update(end->job, keys);
    json_decref(keys);
}

struct mode {
    const char *options;
    const char *modem;
    int rate_bps;
    const char *compression;
    bool ecm;
};

static void every_modem_and_coding_is_bit_exact(void **state)
{
    static const struct mode modes[] = {
        {"{\"ecm\":false}", "V.17", 14400, "T.4 2D", false},
        {"{\"ecm\":false,\"compressions\":[\"mh\"]}", "V.17", 14400, "T.4 1D", false},
        {"{\"compressions\":[\"mh\",\"mr\"]}", "V.17", 14400, "T.4 2D", true},
        {"{\"max_rate_bps\":9600}", "V.29", 9600, "T.6", true},
        {"{\"modems\":[\"v27ter\",\"v29\"],\"ecm\":false}", "V.29", 9600, "T.4 2D", false},
        {"{\"modems\":[\"v27ter\"]}", "V.27ter", 4800, "T.6", true},
        {"{\"max_rate_bps\":2400}", "V.27ter", 2400, "T.6", true},
    };
    struct pair pair;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof modes / sizeof *modes; i++) {
        use_itu(&pair, "itu2.tif");
        set_both(&pair, modes[i].options);
        run(&pair);
        check_delivered(&pair, 1);
        assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "modem"), modes[i].modem);
        assert_int_equal(pair_number(&pair.ends[PAIR_SENDER], "rate_bps"), modes[i].rate_bps);
        assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "compression"), modes[i].compression);
        assert_int_equal(pair_true(&pair.ends[PAIR_RECEIVER], "ecm"), modes[i].ecm);
        pair_clear(&pair);
    }
}

static void a_sender_starts_at_its_own_limit(void **state)
{
    static const struct mode modes[] = {
        {"{\"max_rate_bps\":12000}", "V.17", 12000, "T.6", true},
        {"{\"max_rate_bps\":7200}", "V.17", 7200, "T.6", true},
        {"{\"modems\":[\"v29\",\"v27ter\"],\"max_rate_bps\":7200}", "V.29", 7200, "T.6", true}};
    struct pair pair;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof modes / sizeof *modes; i++) {
        use_itu(&pair, "itu1.tif");
        set_one(&pair.ends[PAIR_SENDER], modes[i].options);
        run(&pair);
        check_delivered(&pair, 1);
        assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "modem"), modes[i].modem);
        assert_int_equal(pair_number(&pair.ends[PAIR_SENDER], "rate_bps"), modes[i].rate_bps);
        pair_clear(&pair);
    }
}

static void use_pages(struct pair *pair, int pages)
{
    char paths[4][256], document[128];
    const char *const sources[] = {data(paths[0], "itu1.tif"), data(paths[1], "itu2.tif"), data(paths[2], "itu3.tif"),
                                   data(paths[3], "itu5.tif")};

    snprintf(document, sizeof document, "%s/document.tif", work);
    pair_make_document(document, sources, 4, pages);
    pair_init(pair, work, document);
}

static void end_pages(struct pair *pair)
{
    unlink(pair->document);
    pair_clear(pair);
}

static void ten_pages_arrive_with_and_without_ecm(void **state)
{
    struct pair pair;

    (void)state;
    use_pages(&pair, 10);
    run(&pair);
    check_delivered(&pair, 10);
    end_pages(&pair);
    use_pages(&pair, 10);
    set_both(&pair, "{\"ecm\":false}");
    run(&pair);
    check_delivered(&pair, 10);
    end_pages(&pair);
}

static void a_hundred_pages_arrive_and_the_record_stays_small(void **state)
{
    struct pair pair;
    char *text;
    int i;

    (void)state;
    use_pages(&pair, 100);
    run(&pair);
    check_delivered(&pair, 100);
    for (i = 0; i < 2; i++) {
        text = json_dumps(pair.ends[i].record, JSON_COMPACT);
        assert_in_range(strlen(text), 10000, 49152);
        assert_in_range(json_array_size(json_object_get(pair.ends[i].record, "frames")), 200, 400);
        free(text);
    }
    end_pages(&pair);
}

static void a_polled_document_arrives(void **state)
{
    struct pair pair;

    (void)state;
    use_itu(&pair, "itu1.tif");
    set_one(&pair.ends[PAIR_SENDER], "{\"role\":\"answerer\"}");
    set_one(&pair.ends[PAIR_RECEIVER], "{\"role\":\"caller\"}");
    run(&pair);
    check_delivered(&pair, 1);
    assert_true(pair_true(&pair.ends[PAIR_SENDER], "polling"));
    pair_clear(&pair);
}

static void a_subaddress_is_heard(void **state)
{
    struct pair pair;

    (void)state;
    use_itu(&pair, "itu1.tif");
    set_one(&pair.ends[PAIR_SENDER], "{\"subaddress\":\"4711\"}");
    run(&pair);
    check_delivered(&pair, 1);
    assert_string_equal(pair_text(&pair.ends[PAIR_RECEIVER], "subaddress"), "4711");
    pair_clear(&pair);
}

/* The receiver's V.17 misses one short training in ten on a line with noise, unless it hears them again. */
static void short_trainings_are_not_missed(void **state)
{
    struct pair pair;
    char job[96];

    (void)state;
    for (int delay_ms = 0; delay_ms < 56; delay_ms += 7) {
        use_pages(&pair, 4);
        snprintf(job, sizeof job, "{\"audio\":{\"delay_ms\":%d,\"noise_dbm0\":-50}}", delay_ms);
        set_both(&pair, job);
        run(&pair);
        check_delivered(&pair, 4);
        assert_int_equal(pair_number(&pair.ends[PAIR_RECEIVER], "ecm_retries"), 0);
        end_pages(&pair);
    }
}

static void delay_and_light_noise_do_no_harm(void **state)
{
    struct pair pair;

    (void)state;
    use_itu(&pair, "itu1.tif");
    set_both(&pair, "{\"audio\":{\"delay_ms\":400,\"noise_dbm0\":-50}}");
    run(&pair);
    check_delivered(&pair, 1);
    pair_clear(&pair);
}

static void steady_noise_ends_by_the_limit(void **state)
{
    struct pair pair;

    (void)state;
    use_itu(&pair, "itu1.tif");
    set_one(&pair.ends[PAIR_RECEIVER], "{\"audio\":{\"noise_dbm0\":-10},\"limits\":{\"call_ms\":300000}}");
    run(&pair);
    assert_string_not_equal(pair_text(&pair.ends[PAIR_SENDER], "outcome"), "success");
    assert_string_not_equal(pair_text(&pair.ends[PAIR_RECEIVER], "outcome"), "success");
    assert_in_range(pair_number(&pair.ends[PAIR_RECEIVER], "line_ms"), 1, 310000);
    assert_false(pair.ends[PAIR_SENDER].journal.end_sent);
    pair_clear(&pair);
}

/* A far end that never speaks T.30: both are callers' senders. */
static void a_call_without_a_fax_machine_is_no_fax(void **state)
{
    struct pair pair;
    int i;

    (void)state;
    use_itu(&pair, "itu1.tif");
    set_one(&pair.ends[PAIR_RECEIVER], "{\"role\":\"caller\",\"limits\":{\"call_ms\":100000}}");
    run(&pair);
    assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "outcome"), "not_fax");
    for (i = 0; i < 2; i++) {
        assert_false(pair.ends[i].journal.answered);
        assert_true(pair.ends[i].journal.closed);
    }
    pair_clear(&pair);
}

static void a_line_that_drops_in_mid_page_is_told_as_it_is(void **state)
{
    struct pair pair;
    struct pair_end *sender = &pair.ends[PAIR_SENDER], *receiver = &pair.ends[PAIR_RECEIVER];
    int pages;

    (void)state;
    use_pages(&pair, 10);
    set_one(sender, "{\"audio\":{\"drop_after_ms\":120000}}");
    run(&pair);
    assert_string_equal(pair_text(sender, "outcome"), "disconnected");
    assert_string_equal(pair_text(receiver, "outcome"), "receive_incomplete");
    pages = receiver->journal.pages_received;
    assert_in_range(pages, 2, 8);
    /* The cut may have met the confirmation of the last one on its way. */
    assert_in_range(sender->journal.pages_confirmed, pages - 1, pages);
    assert_int_equal(pair_number(sender, "pages_confirmed"), sender->journal.pages_confirmed);
    assert_int_equal(pair_number(receiver, "pages_received"), pages);
    assert_int_equal(pair_same_pages(pair.received, pair.document), pages);
    assert_false(sender->journal.end_sent);
    assert_false(receiver->journal.receive_complete);
    end_pages(&pair);
}

static bool has_a_page(const struct pair_end *end)
{
    return end->pages >= 1;
}

static void an_abort_ends_both_sides(void **state)
{
    struct pair pair;
    int pages;

    (void)state;
    use_pages(&pair, 10);
    set_both(&pair, "{\"audio\":{\"pace\":30}}");
    pair_start(&pair, engine, engine);
    pair_follow(&pair.ends[PAIR_SENDER], 30000, has_a_page);
    engine_abort(pair.ends[PAIR_SENDER].call);
    pair_finish(&pair);
    assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "outcome"), "aborted");
    assert_string_equal(pair_text(&pair.ends[PAIR_RECEIVER], "outcome"), "receive_incomplete");
    pages = pair.ends[PAIR_RECEIVER].journal.pages_received;
    assert_true(pages >= 1 && pages < 10);
    assert_int_equal(pair_same_pages(pair.received, pair.document), pages);
    end_pages(&pair);
}

static void an_abort_while_calling_ends_at_once(void **state)
{
    struct pair pair;

    (void)state;
    use_itu(&pair, "itu1.tif");
    set_both(&pair, "{\"audio\":{\"pace\":1}}");
    pair_start(&pair, engine, engine);
    engine_abort(pair.ends[PAIR_RECEIVER].call);
    pair_finish(&pair);
    assert_string_equal(pair_text(&pair.ends[PAIR_RECEIVER], "outcome"), "aborted");
    assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "outcome"), "disconnected");
    pair_clear(&pair);
}

/* The control socket goes away with its FSP. */
static void an_engine_without_its_provider_ends_its_call(void **state)
{
    struct pair pair;
    struct pair_end *receiver = &pair.ends[PAIR_RECEIVER];

    (void)state;
    use_itu(&pair, "itu1.tif");
    set_both(&pair, "{\"audio\":{\"pace\":1}}");
    pair_start(&pair, engine, engine);
    engine_call_free(pair.ends[PAIR_SENDER].call);
    pair.ends[PAIR_SENDER].call = NULL;
    pair_follow(receiver, 10000, NULL);
    assert_string_equal(pair_text(receiver, "outcome"), "disconnected");
    pair_clear(&pair);
}

/* A call in which one side is the hostile engine with `station_id`. */
static void run_hostile(struct pair *pair, enum pair_side side, const char *station_id)
{
    struct engine *hostile;

    assert_int_equal(engine_open(&hostile, program("hostile-t30"), 1), 0);
    json_object_set_new(pair->ends[side].job, "station_id", json_string(station_id));
    pair_start(pair, side == PAIR_SENDER ? hostile : engine, side == PAIR_RECEIVER ? hostile : engine);
    pair_finish(pair);
    engine_close(hostile);
}

struct attack {
    const char *station_id;
    enum pair_side side;
    const char *message; /* of the honest side */
};

static void hostile_frames_end_their_own_call_with_a_clear_word(void **state)
{
    static const struct attack attacks[] = {
        {"HOSTILE DCS WIDTH", PAIR_SENDER, "DCS: both width bits are set"},
        {"HOSTILE DCS RATE", PAIR_SENDER, "DCS: unknown modem and rate"},
        {"HOSTILE DCS SHORT", PAIR_SENDER, "DCS: too short"},
        {"HOSTILE DCS LONG", PAIR_SENDER, "DCS: too long"},
        {"HOSTILE FCD SHORT", PAIR_SENDER, "FCD: too short"},
        {"HOSTILE CTC", PAIR_SENDER, "CTC: unknown modem and rate"},
        {"HOSTILE CTC SHORT", PAIR_SENDER, "CTC: too short"},
        {"HOSTILE PPS SHORT", PAIR_SENDER, "PPS-EOP: too short"},
        {"HOSTILE LONG", PAIR_SENDER, "TSI: too long"},
        {"HOSTILE DIS SHORT", PAIR_RECEIVER, "DIS: too short"},
        {"HOSTILE PPR SHORT", PAIR_RECEIVER, "PPR: too short"},
    };
    struct pair_end *honest;
    struct pair pair;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        use_itu(&pair, "itu1.tif");
        run_hostile(&pair, attacks[i].side, attacks[i].station_id);
        honest = &pair.ends[attacks[i].side == PAIR_SENDER ? PAIR_RECEIVER : PAIR_SENDER];
        assert_false(honest->gone);
        assert_string_equal(pair_text(honest, "message"), attacks[i].message);
        if (attacks[i].side == PAIR_SENDER)
            assert_string_equal(pair_text(honest, "outcome"), "protocol_error");
        assert_true(honest->journal.closed);
        assert_false(honest->journal.receive_complete);
        assert_false(honest->journal.final_confirmed);
        pair_clear(&pair);
    }
}

static void random_frames_crash_nothing(void **state)
{
    struct pair pair;
    char id[32];
    int i;

    (void)state;
    for (i = 0; i < 30; i++) {
        use_itu(&pair, "itu2.tif");
        set_both(&pair, "{\"limits\":{\"call_ms\":600000}}");
        if (i % 3 == 2)
            set_both(&pair, "{\"ecm\":false}");
        snprintf(id, sizeof id, "HOSTILE RANDOM %d", i);
        run_hostile(&pair, i % 2 ? PAIR_SENDER : PAIR_RECEIVER, id);
        assert_false(pair.ends[i % 2 ? PAIR_RECEIVER : PAIR_SENDER].gone);
        pair_clear(&pair);
    }
}

static void lost_image_frames_are_sent_again(void **state)
{
    struct pair pair;

    (void)state;
    use_itu(&pair, "itu5.tif");
    run_hostile(&pair, PAIR_SENDER, "LOSSY FCD");
    check_delivered(&pair, 1);
    assert_true(pair_number(&pair.ends[PAIR_RECEIVER], "ecm_retries") > 0);
    pair_clear(&pair);
}

static void a_lost_last_confirmation_is_said_to_be_lost(void **state)
{
    struct pair pair;
    struct pair_end *sender = &pair.ends[PAIR_SENDER], *receiver = &pair.ends[PAIR_RECEIVER];

    (void)state;
    use_itu(&pair, "itu1.tif");
    run_hostile(&pair, PAIR_RECEIVER, "LOSSY MCF");
    assert_string_equal(pair_text(sender, "outcome"), "confirmation_lost");
    assert_true(pair_true(sender, "end_sent"));
    assert_false(pair_true(sender, "final_confirmed"));
    assert_true(sender->journal.end_sent);
    assert_false(sender->journal.final_confirmed);
    assert_true(receiver->journal.receive_complete);
    assert_int_equal(pair_same_pages(pair.received, pair.document), 1);
    pair_clear(&pair);
}

/* Three short pages without error correction, one of which does not come through: no timer ends the wait for it. */
static void run_three_pages(enum pair_side side, const char *station_id)
{
    struct pair pair;
    char document[128];

    snprintf(document, sizeof document, "%s/document.tif", work);
    pair_make_short_document(document, 3, 400);
    pair_init(&pair, work, document);
    /* Longer chunks are a delay with which T2 of one end and T4 of the other meet again and again. */
    set_both(&pair, "{\"ecm\":false,\"audio\":{\"chunk_ms\":20}}");
    run_hostile(&pair, side, station_id);
    check_delivered(&pair, 3);
    end_pages(&pair);
}

/* T.30's receiver takes the end of such a page for the end of the page before, said again, and would confirm it. */
static void a_page_that_was_not_heard_is_not_confirmed(void **state)
{
    (void)state;
    run_three_pages(PAIR_SENDER, "MUTE SECOND PAGE");
}

static void a_training_check_that_was_not_heard_is_made_again(void **state)
{
    (void)state;
    run_three_pages(PAIR_SENDER, "MUTE FIRST TCF");
}

static void a_page_whose_confirmation_was_lost_comes_once(void **state)
{
    (void)state;
    run_three_pages(PAIR_RECEIVER, "LOSE FIRST MCF");
}

static void a_refused_last_page_is_not_delivered(void **state)
{
    struct pair pair;
    struct pair_end *sender = &pair.ends[PAIR_SENDER];

    (void)state;
    use_itu(&pair, "itu1.tif");
    set_both(&pair, "{\"ecm\":false}");
    run_hostile(&pair, PAIR_RECEIVER, "REFUSE FIRST PAGE");
    assert_string_equal(pair_text(sender, "outcome"), "page_transfer_failed");
    assert_int_equal(pair_number(sender, "pages_confirmed"), 0);
    assert_true(sender->journal.answered);
    assert_false(sender->journal.end_sent); /* the refusal made it void */
    assert_false(sender->journal.final_confirmed);
    pair_clear(&pair);
}

/* The engine `pid` is behind its fence: a seccomp filter is in force and no privilege can come back. */
static void check_fenced(int pid)
{
    char path[64], line[128];
    int filtered = 0, unprivileged = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    assert_non_null(file = fopen(path, "r"));
    while (fgets(line, sizeof line, file)) {
        filtered |= strcmp(line, "Seccomp:\t2\n") == 0;
        unprivileged |= strcmp(line, "NoNewPrivs:\t1\n") == 0;
    }
    fclose(file);
    assert_true(filtered && unprivileged);
}

/* Kill one side's engine after a page: the other side says what it knows, and what the dead one left is true. */
static void kill_one_side(enum pair_side side, int pages_before)
{
    struct pair_end *survivor, *victim;
    struct engine *doomed;
    struct pair pair;
    int spawner, pages;

    use_pages(&pair, 10);
    set_both(&pair, "{\"audio\":{\"pace\":6}}"); /* seconds of pages to come, however busy the machine is */
    victim = &pair.ends[side];
    survivor = &pair.ends[!side];
    assert_int_equal(engine_open(&doomed, program("faxd-t30"), 1), 0);
    assert_int_not_equal(spawner = pair_child_of(getpid()), 0);
    pair_start(&pair, side == PAIR_SENDER ? doomed : engine, side == PAIR_RECEIVER ? doomed : engine);
    while (victim->pages < pages_before)
        pair_follow(victim, 30000, has_a_page);
    check_fenced(pair_child_of(spawner));
    assert_int_equal(kill(pair_child_of(spawner), SIGKILL), 0);
    pair_finish(&pair);
    assert_true(victim->gone);
    assert_false(victim->journal.closed);
    assert_int_equal(pair_true(survivor, "connected"), 1);
    assert_string_equal(pair_text(survivor, "outcome"), side == PAIR_SENDER ? "receive_incomplete" : "disconnected");
    pages = pair.ends[PAIR_RECEIVER].journal.pages_received;
    assert_true(pages >= pages_before && pages < 10);
    assert_in_range(pair.ends[PAIR_SENDER].journal.pages_confirmed, pages - 1, pages);
    assert_int_equal(pair_same_pages(pair.received, pair.document), pages);
    engine_close(doomed);
    end_pages(&pair);
}

static void a_killed_engine_leaves_the_truth(void **state)
{
    (void)state;
    kill_one_side(PAIR_SENDER, 1);
    kill_one_side(PAIR_RECEIVER, 1);
}

static void a_killed_spawner_is_started_again(void **state)
{
    struct engine *fragile;
    struct pair pair;
    int spawner;

    (void)state;
    assert_int_equal(engine_open(&fragile, program("faxd-t30"), 1), 0);
    spawner = pair_child_of(getpid());
    assert_int_equal(kill(spawner, SIGKILL), 0);
    while (pair_child_of(getpid()) == spawner)
        usleep(1000);
    use_itu(&pair, "itu1.tif");
    pair_start(&pair, fragile, fragile);
    pair_finish(&pair);
    check_delivered(&pair, 1);
    pair_clear(&pair);
    engine_close(fragile);
}

/* Folders of their own for calls at the same time. */
static void several_calls_share_an_engine(void **state)
{
    struct pair pairs[6];
    char folders[6][96];
    struct engine *shared;
    int i, spawner;

    (void)state;
    assert_int_equal(engine_open(&shared, program("faxd-t30"), 4), 0);
    spawner = pair_child_of(getpid());
    for (i = 0; i < 6; i++) {
        char path[256];

        snprintf(folders[i], sizeof folders[i], "%s/%d", work, i);
        assert_int_equal(mkdir(folders[i], 0700), 0);
        pair_init(&pairs[i], folders[i], data(path, i % 2 ? "itu1.tif" : "itu5.tif"));
        if (i == 5)
            set_both(&pairs[i], "{\"audio\":{\"pace\":100}}");
        pair_start(&pairs[i], shared, shared);
    }
    for (i = 0; i < 500 && pair_child_of(spawner) == 0; i++)
        usleep(10000);
    assert_int_not_equal(pair_child_of(spawner), 0);
    for (i = 0; i < 6; i++) {
        pair_finish(&pairs[i]);
        check_delivered(&pairs[i], 1);
        pair_clear(&pairs[i]);
        rmdir(folders[i]);
    }
    for (i = 0; i < 100 && pair_child_of(spawner) != 0; i++)
        usleep(10000); /* an engine without calls leaves as soon as its spawner lets it */
    assert_int_equal(pair_child_of(spawner), 0);
    engine_close(shared);
}

static void an_abort_ends_one_call_of_a_shared_engine(void **state)
{
    struct pair slow, quick;
    struct engine *shared;
    char folder[96], path[256];

    (void)state;
    assert_int_equal(engine_open(&shared, program("faxd-t30"), 8), 0);
    snprintf(folder, sizeof folder, "%s/slow", work);
    assert_int_equal(mkdir(folder, 0700), 0);
    pair_init(&slow, folder, data(path, "itu1.tif"));
    set_both(&slow, "{\"audio\":{\"pace\":1}}");
    use_itu(&quick, "itu1.tif");
    pair_start(&quick, shared, shared);
    pair_start(&slow, shared, shared);
    pair_finish(&quick); /* its sockets close while the engine lives on */
    check_delivered(&quick, 1);
    engine_abort(slow.ends[PAIR_SENDER].call);
    pair_finish(&slow);
    assert_string_equal(pair_text(&slow.ends[PAIR_SENDER], "outcome"), "aborted");
    pair_clear(&quick);
    pair_clear(&slow);
    rmdir(folder);
    engine_close(shared);
}

static void a_wrong_job_is_refused_by_name(void **state)
{
    struct pair pair;

    (void)state;
    use_itu(&pair, "itu1.tif");
    set_one(&pair.ends[PAIR_SENDER], "{\"modems\":[\"v90\"]}");
    run(&pair);
    assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "outcome"), "internal");
    assert_non_null(strstr(pair_text(&pair.ends[PAIR_SENDER], "message"), "\"modems\""));
    assert_string_equal(pair_text(&pair.ends[PAIR_RECEIVER], "outcome"), "disconnected");
    pair_clear(&pair);
}

/* A received file that may not grow: the page is not confirmed. */
static void a_full_disk_confirms_nothing(void **state)
{
    struct pair pair;

    (void)state;
    use_itu(&pair, "itu5.tif");
    set_one(&pair.ends[PAIR_RECEIVER], "{\"limits\":{\"file_bytes\":20000}}");
    run(&pair);
    assert_string_equal(pair_text(&pair.ends[PAIR_RECEIVER], "outcome"), "storage_full");
    assert_int_equal(pair.ends[PAIR_RECEIVER].journal.pages_received, 0);
    assert_false(pair.ends[PAIR_RECEIVER].journal.receive_complete);
    assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "outcome"), "confirmation_lost");
    assert_int_equal(pair.ends[PAIR_SENDER].journal.pages_confirmed, 0);
    pair_clear(&pair);
}

static void check_lost_engine(const char *station_id)
{
    struct pair pair;
    struct pair_end *lost = &pair.ends[PAIR_SENDER];

    use_itu(&pair, "itu5.tif");
    run_hostile(&pair, PAIR_SENDER, station_id);
    assert_true(lost->gone);
    assert_true(lost->journal.answered);
    assert_false(lost->journal.end_sent || lost->journal.closed);
    assert_string_equal(pair_text(&pair.ends[PAIR_RECEIVER], "outcome"), "disconnected");
    assert_true(pair.ends[PAIR_RECEIVER].journal.closed);
    pair_clear(&pair);
}

static void an_engine_that_crashes_takes_its_call_only(void **state)
{
    (void)state;
    check_lost_engine("CRASH IN PAGE");
}

static void an_engine_that_hangs_is_ended_by_its_watchdog(void **state)
{
    (void)state;
    check_lost_engine("HANG IN PAGE");
}

static void a_call_that_takes_too_much_cpu_is_ended_in_order(void **state)
{
    struct pair pair;
    struct pair_end *receiver = &pair.ends[PAIR_RECEIVER];

    (void)state;
    use_pages(&pair, 250); /* five times what one second has room for */
    set_one(receiver, "{\"limits\":{\"cpu_s\":1}}");
    run(&pair);
    assert_string_equal(pair_text(receiver, "outcome"), "receive_incomplete");
    assert_string_equal(pair_text(receiver, "message"), "the call took more CPU time than its limit");
    assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "outcome"), "disconnected");
    assert_int_equal(pair_same_pages(pair.received, pair.document), receiver->journal.pages_received);
    end_pages(&pair);
}

static void a_document_that_is_no_tiff_is_not_sent(void **state)
{
    struct pair pair;
    char path[256];

    (void)state;
    pair_init(&pair, work, data(path, "../fsp/test_engine.c"));
    run(&pair);
    assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "outcome"), "internal");
    assert_string_equal(pair_text(&pair.ends[PAIR_RECEIVER], "outcome"), "disconnected");
    pair_clear(&pair);
}

static void a_page_that_no_rendition_fits_is_a_mismatch(void **state)
{
    struct pair pair;

    (void)state;
    use_itu(&pair, "itu1.tif");
    set_one(&pair.ends[PAIR_SENDER], "{\"files\":[{\"resolution\":\"fine\",\"width\":1700}]}");
    run(&pair);
    assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "outcome"), "capability_mismatch");
    pair_clear(&pair);
}

static void a_paced_call_takes_its_time(void **state)
{
    struct pair pair;
    int64_t started_ms = clock_mono_ms(), took_ms;
    long long line_ms;

    (void)state;
    use_itu(&pair, "itu2.tif");
    set_both(&pair, "{\"audio\":{\"pace\":40}}");
    run(&pair);
    check_delivered(&pair, 1);
    took_ms = clock_mono_ms() - started_ms;
    line_ms = pair_number(&pair.ends[PAIR_SENDER], "line_ms");
    assert_true(took_ms > line_ms / 40 - 50);
    assert_true(took_ms < line_ms); /* the machine may have other things to do, but not for forty times as long */
    pair_clear(&pair);
}

struct line {
    pthread_t thread;
    char folder[96];
    bool right;
};

/* What a line's worker does. */
static void *work_a_line(void *argument)
{
    struct line *line = argument;
    struct pair pair;
    char path[256];

    pair_init(&pair, line->folder, data(path, "itu2.tif"));
    pair_start(&pair, engine, engine);
    pair_finish(&pair);
    line->right = pair_same_pages(pair.received, pair.document) == 1;
    pair_clear(&pair);
    return NULL;
}

static void lines_share_a_spawner(void **state)
{
    struct line lines[4];
    int i;

    (void)state;
    for (i = 0; i < 4; i++) {
        snprintf(lines[i].folder, sizeof lines[i].folder, "%s/line%d", work, i);
        assert_int_equal(mkdir(lines[i].folder, 0700), 0);
        assert_int_equal(pthread_create(&lines[i].thread, NULL, work_a_line, &lines[i]), 0);
    }
    for (i = 0; i < 4; i++) {
        pthread_join(lines[i].thread, NULL);
        assert_true(lines[i].right);
        rmdir(lines[i].folder);
    }
}

static void *abort_soon(void *call)
{
    json_t *order = json_pack("{s:s}", "command", "abort");

    usleep(100000);
    if (engine_command(call, order) != 0)
        engine_abort(call);
    json_decref(order);
    return NULL;
}

static void another_thread_may_abort(void **state)
{
    pthread_t thread;
    struct pair pair;

    (void)state;
    use_itu(&pair, "itu1.tif");
    set_both(&pair, "{\"audio\":{\"pace\":1}}");
    pair_start(&pair, engine, engine);
    assert_int_equal(pthread_create(&thread, NULL, abort_soon, pair.ends[PAIR_SENDER].call), 0);
    pair_finish(&pair);
    pthread_join(thread, NULL);
    assert_string_equal(pair_text(&pair.ends[PAIR_SENDER], "outcome"), "aborted");
    pair_clear(&pair);
}

static int open_engine(void **state)
{
    (void)state;
    log_open("test_engine", LOG_LEVEL_INFO);
    snprintf(work, sizeof work, "/tmp/faxd-test-engine-XXXXXX");
    if (!mkdtemp(work))
        return -1;
    return engine_open(&engine, program("faxd-t30"), 1);
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
        cmocka_unit_test(every_modem_and_coding_is_bit_exact),
        cmocka_unit_test(a_sender_starts_at_its_own_limit),
        cmocka_unit_test(ten_pages_arrive_with_and_without_ecm),
        cmocka_unit_test(a_hundred_pages_arrive_and_the_record_stays_small),
        cmocka_unit_test(a_polled_document_arrives),
        cmocka_unit_test(a_subaddress_is_heard),
        cmocka_unit_test(short_trainings_are_not_missed),
        cmocka_unit_test(delay_and_light_noise_do_no_harm),
        cmocka_unit_test(steady_noise_ends_by_the_limit),
        cmocka_unit_test(a_call_without_a_fax_machine_is_no_fax),
        cmocka_unit_test(a_line_that_drops_in_mid_page_is_told_as_it_is),
        cmocka_unit_test(an_abort_ends_both_sides),
        cmocka_unit_test(an_abort_while_calling_ends_at_once),
        cmocka_unit_test(an_engine_without_its_provider_ends_its_call),
        cmocka_unit_test(hostile_frames_end_their_own_call_with_a_clear_word),
        cmocka_unit_test(random_frames_crash_nothing),
        cmocka_unit_test(lost_image_frames_are_sent_again),
        cmocka_unit_test(a_lost_last_confirmation_is_said_to_be_lost),
        cmocka_unit_test(a_page_that_was_not_heard_is_not_confirmed),
        cmocka_unit_test(a_training_check_that_was_not_heard_is_made_again),
        cmocka_unit_test(a_page_whose_confirmation_was_lost_comes_once),
        cmocka_unit_test(a_refused_last_page_is_not_delivered),
        cmocka_unit_test(a_killed_engine_leaves_the_truth),
        cmocka_unit_test(a_killed_spawner_is_started_again),
        cmocka_unit_test(several_calls_share_an_engine),
        cmocka_unit_test(an_abort_ends_one_call_of_a_shared_engine),
        cmocka_unit_test(a_wrong_job_is_refused_by_name),
        cmocka_unit_test(a_full_disk_confirms_nothing),
        cmocka_unit_test(an_engine_that_crashes_takes_its_call_only),
        cmocka_unit_test(an_engine_that_hangs_is_ended_by_its_watchdog),
        cmocka_unit_test(a_call_that_takes_too_much_cpu_is_ended_in_order),
        cmocka_unit_test(a_document_that_is_no_tiff_is_not_sent),
        cmocka_unit_test(a_page_that_no_rendition_fits_is_a_mismatch),
        cmocka_unit_test(a_paced_call_takes_its_time),
        cmocka_unit_test(lines_share_a_spawner),
        cmocka_unit_test(another_thread_may_abort),
    };

    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
