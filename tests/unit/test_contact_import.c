/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about imports of contacts: all of a list or nothing, in slices, and across a restart. */
#include "config.h"

#include "spool/contact_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/contact.h"
#include "spool/contact_group.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static struct {
    int calls, error;
    struct contact_imported imported;
} answer;

static void on_imported(void *context, int error, const struct contact_imported *imported)
{
    (void)context;
    answer.calls++;
    answer.error = error;
    answer.imported = *imported;
}

/* Contacts from..to, each in a group of all and in one of ten. */
static char *lines(int from, int to, const char *organization)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (int i = from; i < to; i++)
        fprintf(out,
                "{\"line\":%d,\"name\":\"Person %d\",\"number\":\"+1555%d\",\"organization\":\"%s\","
                "\"groups\":[\"all\",\"group %d\"]}\n",
                i + 2, i, i, organization, i % 10);
    fclose(out);
    return text;
}

static void start(struct spool *spool, char *text)
{
    memset(&answer, 0, sizeof answer);
    assert_int_equal(contact_import(spool, text, 7, on_imported, NULL), 0);
}

/* Slices until nothing is left: how many. */
static int finish(struct spool *spool)
{
    int slices = 1, more;
    while ((more = contact_import_run(spool)) == 1) {
        spool_facts_turn(spool);
        slices++;
    }
    assert_int_equal(more, 0);
    spool_facts_turn(spool);
    return slices;
}

static int64_t rows(struct spool *spool, const char *table)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT count(*) AS n FROM %s", table);
    return spool_facts_number(spool, sql);
}

static void assert_counts_are_right(struct spool *spool)
{
    assert_int_equal(spool_facts_number(spool, "SELECT rows AS n FROM row_count WHERE name = 'contact'"),
                     rows(spool, "contact"));
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM contact_group g WHERE members <>"
                                               " (SELECT count(*) FROM contact_member WHERE contact_group = g.id)"),
                     0);
    assert_int_equal(rows(spool, "contact_import"), 0);
}

static void a_list_is_taken_in_slice_by_slice(void **state)
{
    struct spool *spool = spool_of(state);
    start(spool, lines(0, 1000, "One"));
    assert_in_range(finish(spool), 10, 100);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.imported.created, 1000);
    assert_int_equal(answer.imported.updated, 0);
    assert_int_equal(answer.imported.groups_created, 11);
    assert_int_equal(rows(spool, "contact WHERE owner = 7 AND organization = 'One'"), 1000);
    assert_int_equal(rows(spool, "contact_member"), 2000);
    assert_counts_are_right(spool);
}

static void who_is_there_gets_what_the_list_says(void **state)
{
    struct spool *spool = spool_of(state);
    struct contact contact;
    start(spool, lines(0, 300, "One"));
    finish(spool);
    start(spool, lines(200, 400, "Two"));
    finish(spool);
    assert_int_equal(answer.imported.created, 100);
    assert_int_equal(answer.imported.updated, 100);
    assert_int_equal(answer.imported.groups_created, 0);
    assert_int_equal(rows(spool, "contact WHERE organization = 'Two'"), 200);
    start(spool, xstrdup("{\"line\":2,\"name\":\"PERSON 7\",\"number\":\"+15557\",\"notes\":\"n\"}\n"));
    finish(spool);
    assert_int_equal(contact_same(&contact, spool, "+15557", "Person 7"), 0);
    assert_string_equal(contact.name, "PERSON 7");
    assert_string_equal(contact.organization, "One"); /* the list says nothing of it */
    assert_string_equal(contact.notes, "n");
    assert_counts_are_right(spool);
}

static void a_contact_that_is_there_twice_is_made_once(void **state)
{
    struct spool *spool = spool_of(state);
    start(spool, xstrdup("{\"line\":2,\"name\":\"A\",\"number\":\"+1\",\"groups\":[\"g\"]}\n"
                         "{\"line\":3,\"name\":\"a\",\"number\":\"+1\",\"groups\":[\"G\",\"h\"]}\n"));
    finish(spool);
    assert_int_equal(answer.imported.created, 1);
    assert_int_equal(answer.imported.updated, 1);
    assert_int_equal(answer.imported.groups_created, 2);
    assert_int_equal(rows(spool, "contact"), 1);
    assert_int_equal(rows(spool, "contact_member"), 2);
    assert_counts_are_right(spool);
}

/* The last line is one too many. */
static void without_room_for_all_there_is_none(void **state)
{
    struct spool *spool = spool_of(state);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i <= CONTACT_GROUPS_MAX; i++)
        fprintf(out, "{\"line\":%d,\"name\":\"A\",\"number\":\"+%d\",\"groups\":[\"g%d\"]}\n", i + 2, i, i);
    fclose(out);
    start(spool, text);
    finish(spool);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.error, ERR_FULL);
    assert_int_equal(answer.imported.line, CONTACT_GROUPS_MAX + 2);
    assert_int_equal(rows(spool, "contact") + rows(spool, "contact_group"), 0);
    assert_counts_are_right(spool);
    assert_int_equal(contact_add_rows(spool, CONTACTS_MAX - 5), 0);
    spool_facts_turn(spool);
    start(spool, lines(0, 6, "One"));
    finish(spool);
    assert_int_equal(answer.error, ERR_FULL);
    assert_int_equal(rows(spool, "contact") + rows(spool, "contact_group"), 0);
    start(spool, lines(0, 5, "One"));
    finish(spool);
    assert_int_equal(answer.error, 0);
    assert_int_equal(rows(spool, "contact"), 5);
}

static void what_a_crash_interrupts_a_start_finishes(void **state)
{
    struct spool_facts *facts = *state;
    start(facts->spool, lines(0, 500, "One"));
    while (rows(facts->spool, "contact") < 100) {
        assert_int_equal(contact_import_run(facts->spool), 1);
        spool_facts_turn(facts->spool);
    }
    assert_in_range(rows(facts->spool, "contact"), 100, 499);
    spool_facts_reopen(facts);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.error, ERR_CLOSED);
    finish(facts->spool);
    assert_int_equal(rows(facts->spool, "contact"), 500);
    assert_int_equal(rows(facts->spool, "contact_member"), 1000);
    assert_int_equal(rows(facts->spool, "audit WHERE action = 'contact.imported'"), 1);
    assert_counts_are_right(facts->spool);
}

static void what_is_not_accepted_yet_is_forgotten(void **state)
{
    struct spool_facts *facts = *state;
    start(facts->spool, lines(0, 500, "One"));
    assert_int_equal(contact_import_run(facts->spool), 1); /* a slice is looked at */
    spool_facts_turn(facts->spool);
    spool_facts_reopen(facts);
    assert_int_equal(answer.error, ERR_CLOSED);
    finish(facts->spool);
    assert_int_equal(rows(facts->spool, "contact"), 0);
    assert_counts_are_right(facts->spool);
}

static void imports_wait_for_each_other_and_not_too_many(void **state)
{
    struct spool *spool = spool_of(state);
    for (int i = 0; i < CONTACT_IMPORTS_MAX; i++)
        assert_int_equal(contact_import(spool, lines(i, i + 2, "One"), 7, on_imported, NULL), 0);
    assert_int_equal(contact_import(spool, lines(0, 1, "One"), 7, on_imported, NULL), ERR_FULL);
    memset(&answer, 0, sizeof answer);
    finish(spool);
    assert_int_equal(answer.calls, CONTACT_IMPORTS_MAX);
    assert_int_equal(rows(spool, "contact"), CONTACT_IMPORTS_MAX + 1);
    assert_counts_are_right(spool);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(a_list_is_taken_in_slice_by_slice),
        FACT(who_is_there_gets_what_the_list_says),
        FACT(a_contact_that_is_there_twice_is_made_once),
        FACT(without_room_for_all_there_is_none),
        FACT(what_a_crash_interrupts_a_start_finishes),
        FACT(what_is_not_accepted_yet_is_forgotten),
        FACT(imports_wait_for_each_other_and_not_too_many),
    };
    return cmocka_run_group_tests_name("contact_import", facts, NULL, NULL);
}
