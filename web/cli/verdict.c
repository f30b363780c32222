/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One table from the words of the API to exit statuses; fax.1 and `fax --help` list the same. */
#include "web/cli/verdict.h"

#include <stddef.h>
#include <string.h>

struct row {
    const char *word;
    enum verdict verdict;
};

/* Final statuses of both directions. A failed fax is judged by its error. */
static const struct row statuses[] = {
    {"delivered", VERDICT_OK},
    {"unconfirmed", VERDICT_UNCONFIRMED},
    {"canceled", VERDICT_ENDED},
    {"expired", VERDICT_ENDED},
    {"partially_delivered", VERDICT_PROTOCOL},
    {"failed", VERDICT_PROTOCOL},
    {"received", VERDICT_OK},
    {"routing", VERDICT_OK},
    {"routed", VERDICT_OK},
    {"partially_received", VERDICT_PROTOCOL},
    {"route_failed", VERDICT_ERROR},
    {"rejected", VERDICT_ADDRESS},
    {NULL, VERDICT_OK},
};

/* Outcomes whose class alone does not tell. */
static const struct row codes[] = {
    {"bad_address", VERDICT_ADDRESS},
    {"call_rejected", VERDICT_ADDRESS},
    {"blacklisted", VERDICT_ADDRESS},
    {"rejected_by_rule", VERDICT_ADDRESS},
    {"not_fax", VERDICT_ADDRESS},
    {"remote_auth_required", VERDICT_ADDRESS},
    {"disconnected", VERDICT_PROTOCOL},
    {"media_timeout", VERDICT_PROTOCOL},
    {"confirmation_lost", VERDICT_UNCONFIRMED},
    {NULL, VERDICT_OK},
};

static const struct row classes[] = {
    {"line", VERDICT_CALL},  {"call", VERDICT_CALL},         {"protocol", VERDICT_PROTOCOL},
    {"user", VERDICT_ENDED}, {"document", VERDICT_DOCUMENT}, {"server", VERDICT_ERROR},
    {NULL, VERDICT_OK},
};

static const struct row problems[] = {
    {"invalid_number", VERDICT_ADDRESS},      {"blacklisted", VERDICT_ADDRESS},
    {"empty_document", VERDICT_DOCUMENT},     {"document_unsupported", VERDICT_DOCUMENT},
    {"too_many_documents", VERDICT_DOCUMENT}, {"too_many_pages", VERDICT_DOCUMENT},
    {"conversion_failed", VERDICT_DOCUMENT},  {NULL, VERDICT_OK},
};

static const struct row *find(const struct row *rows, const char *word)
{
    for (; word != NULL && rows->word != NULL; rows++) {
        if (strcmp(rows->word, word) == 0)
            return rows;
    }
    return NULL;
}

bool verdict_is_final(const char *status)
{
    return find(statuses, status) != NULL;
}

enum verdict verdict_of_fax(const json_t *fax)
{
    const struct row *status = find(statuses, json_string_value(json_object_get(fax, "status")));
    const json_t *error = json_object_get(fax, "error");
    if (status == NULL)
        return VERDICT_OK;
    if (strcmp(status->word, "failed") != 0)
        return status->verdict;
    /* Thin objects have the code alone. */
    const json_t *code = json_is_string(error) ? error : json_object_get(error, "code");
    const struct row *row = find(codes, json_string_value(code));
    if (row == NULL)
        row = find(classes, json_string_value(json_object_get(error, "class")));
    return row != NULL ? row->verdict : status->verdict;
}

enum verdict verdict_of_problem(long http_status, const json_t *problem)
{
    const struct row *row = find(problems, json_string_value(json_object_get(problem, "code")));
    size_t index;
    json_t *fault;
    json_array_foreach(json_object_get(problem, "errors"), index, fault)
    {
        if (row == NULL)
            row = find(problems, json_string_value(json_object_get(fault, "code")));
    }
    if (row != NULL)
        return row->verdict;
    return http_status == 413 || http_status == 415 ? VERDICT_DOCUMENT : VERDICT_ERROR;
}
