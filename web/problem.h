/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with a request, collected so that every fault is told at once (RFC 9457 and its "errors" member).
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_PROBLEM_H
#define FAXD_WEB_PROBLEM_H

#include <jansson.h>
#include <stdbool.h>

#define PROBLEM_MAX 64 /* faults told in one reply; the rest is counted */

struct problems {
    json_t *errors; /* array of {"pointer","code","detail"}, NULL = none yet */
    int count;
    int most; /* told in one reply; 0 = PROBLEM_MAX */
};

/* Note a fault. `pointer` is a JSON pointer (RFC 6901) into the body, or "?name" for a query parameter. Octets that are
 * not UTF-8 are replaced, long texts cut. */
void problem_add(struct problems *problems, const char *pointer, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool problem_any(const struct problems *problems);
void problem_clear(struct problems *problems);

/* The document: type, title, status, detail, instance, code, request_id and, when `problems` is not NULL and has some,
 * errors. New reference. */
json_t *problem_json(int status, const char *code, const char *detail, const char *instance, const char *request_id,
                     const struct problems *problems);

/* "Not Found" for 404; never NULL. */
const char *problem_title(int status);

/* `name` as one step of a JSON pointer ("~" and "/" escaped), appended to `base`. The caller frees. */
char *problem_pointer(const char *base, const char *name);

/* " (did you mean a, b?)" with those of the `count` `words` that are near `word`, or "". The caller frees. */
char *problem_near(const char *word, const char *const *words, int count);

#endif
