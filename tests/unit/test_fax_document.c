/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the rows that tie documents to faxes. */
#include "config.h"

#include "tests/lib/facts.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/str.h"
#include "spool/fax_document.h"
#include "tests/lib/spool_facts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct row {
    int64_t fax;
    enum fax_document_role role;
    int position;
    const char *text, *info;
};

static void add(struct spool *spool, struct row row)
{
    json_t *info = row.info ? json_loads(row.info, 0, NULL) : NULL;
    int error = fax_document_add(spool, row.fax, row.role, row.position, spool_facts_document(spool, row.text), info);
    json_decref(info);
    if (error)
        fail_msg("%s", err_message());
}

static const char *sha_of(struct spool *spool, const char *text)
{
    return spool_facts_document(spool, text);
}

static void they_come_back_by_position(void **state)
{
    struct spool *spool = ((struct spool_facts *)*state)->spool;
    struct fax_document *list;
    int64_t fax = spool_facts_queue(spool, "+4930111", 1);
    add(spool, (struct row){fax, FAX_DOCUMENT_UPLOAD, 3, "third", "{\"pages\":\"2-\",\"type\":\"pdf\"}"});
    add(spool, (struct row){fax, FAX_DOCUMENT_UPLOAD, 1, "first", NULL});
    add(spool, (struct row){fax, FAX_DOCUMENT_UPLOAD, 2, "second", "{}"});
    assert_int_equal(fax_documents(&list, spool, fax, FAX_DOCUMENT_UPLOAD), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(list[i].position, i + 1);
    assert_string_equal(list[0].sha, sha_of(spool, "first"));
    assert_string_equal(list[2].sha, sha_of(spool, "third"));
    assert_int_equal(json_object_size(list[0].info), 0); /* never NULL */
    assert_int_equal(json_object_size(list[1].info), 0);
    assert_string_equal(json_string_value(json_object_get(list[2].info, "pages")), "2-");
    fax_documents_free(list, 3);
    spool_facts_turn(spool);
}

static void faxes_and_roles_are_told_apart(void **state)
{
    struct spool *spool = ((struct spool_facts *)*state)->spool;
    struct fax_document *list;
    int64_t one = spool_facts_queue(spool, "+4930111", 1), two = spool_facts_queue(spool, "+4930112", 1);
    add(spool, (struct row){one, FAX_DOCUMENT_COVER, 0, "cover", "{\"fields\":{\"note\":\"\u00fc\"}}"});
    add(spool, (struct row){one, FAX_DOCUMENT_AS_SENT, 1, "sent", "{\"first_page\":1}"});
    add(spool, (struct row){two, FAX_DOCUMENT_UPLOAD, 1, "other", NULL});
    assert_int_equal(fax_documents(&list, spool, one, FAX_DOCUMENT_UPLOAD), 0);
    assert_null(list);
    assert_int_equal(fax_documents(&list, spool, one, FAX_DOCUMENT_COVER), 1);
    assert_string_equal(json_string_value(json_object_get(json_object_get(list->info, "fields"), "note")), "\u00fc");
    fax_documents_free(list, 1);
    assert_int_equal(fax_documents(&list, spool, two, FAX_DOCUMENT_UPLOAD), 1);
    fax_documents_free(list, 1);
    spool_facts_turn(spool);
}

static void a_place_is_taken_once(void **state)
{
    struct spool *spool = ((struct spool_facts *)*state)->spool;
    struct fax_document *list;
    int64_t fax = spool_facts_queue(spool, "+4930111", 1);
    add(spool, (struct row){fax, FAX_DOCUMENT_AS_SENT, 1, "before", "{\"first_page\":1}"});
    add(spool, (struct row){fax, FAX_DOCUMENT_AS_SENT, 1, "after", NULL});
    assert_int_equal(fax_documents(&list, spool, fax, FAX_DOCUMENT_AS_SENT), 1);
    assert_string_equal(list->sha, sha_of(spool, "after"));
    assert_int_equal(json_object_size(list->info), 0);
    fax_documents_free(list, 1);
    spool_facts_turn(spool);
}

static void they_are_there_after_a_restart_and_keep_their_documents(void **state)
{
    struct spool_facts *facts = *state;
    struct fax_document *list;
    char sha[DOCUMENT_SHA_SIZE];
    int64_t fax = spool_facts_queue(facts->spool, "+4930111", 1);
    add(facts->spool, (struct row){fax, FAX_DOCUMENT_RENDITION, 1, "coarse", "{\"resolution\":\"standard\"}"});
    spool_facts_turn(facts->spool);
    spool_facts_reopen(facts);
    assert_int_equal(fax_documents(&list, facts->spool, fax, FAX_DOCUMENT_RENDITION), 1);
    str_copy(sha, sizeof(sha), list->sha);
    fax_documents_free(list, 1);
    int fd = document_open(facts->spool, sha);
    char text[16] = "";
    assert_true(fd >= 0);
    assert_int_equal(read(fd, text, sizeof(text)), 6);
    assert_string_equal(text, "coarse");
    close(fd);
}

/* A row of an older or a damaged store. */
static void info_that_is_no_json_reads_as_nothing(void **state)
{
    struct spool *spool = ((struct spool_facts *)*state)->spool;
    struct fax_document *list;
    int64_t fax = spool_facts_queue(spool, "+4930111", 1);
    add(spool, (struct row){fax, FAX_DOCUMENT_UPLOAD, 1, "upload", "{\"pages\":\"1\"}"});
    struct stmt *stmt;
    assert_int_equal(stmt_open(&stmt, spool_db(spool), "UPDATE fax_document SET info = '{torn'"), 0);
    assert_int_equal(stmt_run(NULL, stmt), 0);
    assert_int_equal(fax_documents(&list, spool, fax, FAX_DOCUMENT_UPLOAD), 1);
    assert_int_equal(json_object_size(list->info), 0);
    assert_non_null(list->info);
    fax_documents_free(list, 1);
    spool_facts_turn(spool);
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test_setup_teardown(they_come_back_by_position, spool_facts_setup, spool_facts_teardown),
        cmocka_unit_test_setup_teardown(faxes_and_roles_are_told_apart, spool_facts_setup, spool_facts_teardown),
        cmocka_unit_test_setup_teardown(a_place_is_taken_once, spool_facts_setup, spool_facts_teardown),
        cmocka_unit_test_setup_teardown(they_are_there_after_a_restart_and_keep_their_documents, spool_facts_setup,
                                        spool_facts_teardown),
        cmocka_unit_test_setup_teardown(info_that_is_no_json_reads_as_nothing, spool_facts_setup, spool_facts_teardown),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
