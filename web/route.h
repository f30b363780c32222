/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a method and a path to who answers it.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_ROUTE_H
#define FAXD_WEB_ROUTE_H

#include <stddef.h>

#define ROUTE_PARAMS     2
#define ROUTE_PARAM_SIZE 128
#define ROUTE_ALLOW_SIZE 64

struct request;

enum route_flag {
    ROUTE_WRITES = 1u << 0,     /* runs as a part of the turn; replied after its commit */
    ROUTE_BODY_JSON = 1u << 1,  /* a JSON body is needed */
    ROUTE_BODY_FORM = 1u << 2,  /* or a form */
    ROUTE_BODY_LARGE = 1u << 3, /* up to body_max, else ROUTE_BODY_SMALL octets */
    ROUTE_SECRET = 1u << 4,     /* the reply holds a secret that is shown once: it is not stored for replay */
    ROUTE_PREVIEW = 1u << 5,    /* the body is a fax that is not sent */
    ROUTE_BODY_CSV = 1u << 6,   /* a file of comma-separated values is needed, as it is or in a form */
    ROUTE_BODY_NONE = 1u << 7,  /* no body at all is fine, too, and reads as an empty object */
    ROUTE_BATCH = 1u << 8,      /* the body is a fax to many */
    ROUTE_UNCOUNTED = 1u << 9,  /* no rate limit */
    ROUTE_BODY_TEXT = 1u << 10  /* up to ROUTE_BODY_PAGE octets */
};

#define ROUTE_BODY_SMALL 65536
#define ROUTE_BODY_FILE  (8 << 20)   /* of ROUTE_BODY_CSV */
#define ROUTE_BODY_PAGE  (768 << 10) /* of ROUTE_BODY_TEXT: a text whose quotes and line ends are escaped */

struct route {
    const char *method;  /* "GET" answers HEAD as well */
    const char *pattern; /* "/v1/faxes/{id}/cancel"; "{*}" at the end takes the rest, slashes and all */
    unsigned scope;      /* KEY_*, for keys; of several, one is enough; 0 = open to all, or to sessions alone */
    unsigned roles;      /* USER_*, for sessions and keys of users; 0 = open to all */
    unsigned flags;
    void (*handle)(struct request *request);
};

enum route_result { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

/* Look `path` (no query) up in a table that ends with method NULL. Parameters are percent-decoded; one that is empty,
 * too long or not printable ASCII matches nothing. With ROUTE_NO_METHOD, `allow` has what an Allow header says. */
enum route_result route_find(const struct route **route, char params[ROUTE_PARAMS][ROUTE_PARAM_SIZE],
                             char allow[ROUTE_ALLOW_SIZE], const struct route *table, const char *method,
                             const char *path);

#endif
