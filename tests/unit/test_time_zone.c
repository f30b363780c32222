/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about times as people somewhere read them. */
#include "config.h"

#include "tests/lib/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "server/base/time_zone.h"

#define WINTER_MS 1767225600000 /* 2026-01-01 00:00 UTC */
#define SUMMER_MS 1782864000000 /* 2026-07-01 00:00 UTC */

static void zones_of_the_system_are_known(void **state)
{
    (void)state;
    static const char *const known[] = {"",          "Europe/Berlin", "America/Argentina/Buenos_Aires",
                                        "Etc/GMT+5", "UTC",           "+01:00",
                                        "-0330",     "EST5EDT",       "America/Port-au-Prince"};
    static const char *const unknown[] = {"Europe/Atlantis", "Mars", "+99:00", "Europe", " ", "Europe/Berlin "};
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (!time_zone_is_known(known[i]))
            fail_msg("\"%s\" is not known", known[i]);
    }
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        if (time_zone_is_known(unknown[i]))
            fail_msg("\"%s\" is known", unknown[i]);
    }
}

static void a_time_is_told_as_it_is_there(void **state)
{
    (void)state;
    static const struct {
        int64_t at_ms;
        const char *zone, *wanted;
    } table[] = {
        {WINTER_MS, "Europe/Berlin", "2026-01-01 01:00 CET"},
        {SUMMER_MS, "Europe/Berlin", "2026-07-01 02:00 CEST"},
        {WINTER_MS, "America/New_York", "2025-12-31 19:00 EST"},
        {WINTER_MS, "Asia/Kathmandu", "2026-01-01 05:45 +0545"},
        {WINTER_MS, "+01:00", "2026-01-01 01:00 +01:00"},
        {WINTER_MS + 59999, "UTC", "2026-01-01 00:00 UTC"},
        {WINTER_MS, "Europe/Atlantis", "2026-01-01 00:00 UTC"},
        {0, "UTC", "1970-01-01 00:00 UTC"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char text[64];
        assert_string_equal(time_zone_format(text, sizeof text, table[i].at_ms, table[i].zone, "%Y-%m-%d %H:%M %Z"),
                            table[i].wanted);
    }
}

static void the_text_stays_in_its_room(void **state)
{
    (void)state;
    char text[8];
    assert_string_equal(time_zone_format(text, sizeof text, WINTER_MS, "UTC", "%Y-%m-%d"), "2026-01");
    assert_string_equal(time_zone_format(text, sizeof text, INT64_MAX, "UTC", "%Y-%m-%d"), "");
}

/* Requests name zones. What a client uploads lies in the spool, so a file that is no zone of the system's would be a
 * stranger's octets for GLib's reader, and a pipe would hold the loop. */
static void a_zone_is_no_path_to_other_files(void **state)
{
    (void)state;
    static const char *const paths[] = {"/usr/share/zoneinfo/Europe/Berlin",
                                        "../zoneinfo/Europe/Berlin",
                                        "Europe/../Europe/Berlin",
                                        "./Europe/Berlin",
                                        "Europe/./Berlin",
                                        ":/usr/share/zoneinfo/Europe/Berlin",
                                        "../../../etc/passwd",
                                        "Europe//Berlin",
                                        ":Europe/Berlin",
                                        "Europe/Berlin/"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        if (time_zone_is_known(paths[i]))
            fail_msg("\"%s\" is known", paths[i]);
    }
    char fifo[64];
    close(facts_temporary_file(fifo));
    unlink(fifo);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    alarm(10); /* it hung */
    assert_false(time_zone_is_known(fifo));
    alarm(0);
    unlink(fifo);
}

static void the_process_keeps_its_own_zone(void **state)
{
    (void)state;
    char text[64];
    time_t at = WINTER_MS / 1000;
    struct tm before, after;
    localtime_r(&at, &before);
    time_zone_format(text, sizeof text, WINTER_MS, "Asia/Kathmandu", "%H:%M");
    localtime_r(&at, &after);
    assert_int_equal(before.tm_gmtoff, after.tm_gmtoff);
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(zones_of_the_system_are_known),  cmocka_unit_test(a_time_is_told_as_it_is_there),
        cmocka_unit_test(the_text_stays_in_its_room),     cmocka_unit_test(a_zone_is_no_path_to_other_files),
        cmocka_unit_test(the_process_keeps_its_own_zone),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
