/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of files that received faxes are stored under: a pattern with fields in braces.
 *
 * {id} the fax, {date} and {time} of the call (20261121, 093000), {from}, {to}, {station_id}, {subaddress}, {pages},
 * {line}, {status}. Whatever a stranger may choose of it is made of letters, digits and + - _ . only, so that no field
 * leads out of its folder, hides a file or is taken for an option.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_SPOOL_ROUTE_NAME_H
#define FAXD_SPOOL_ROUTE_NAME_H

#include <stddef.h>
#include <stdint.h>

#define ROUTE_NAME_SIZE        220
#define ROUTE_NAME_PATTERN_MAX 120
#define ROUTE_NAME_DEFAULT     "{date}-{time}-{from}-{id}"

struct route_name_fields {
    const char *id, *from, *to, *station_id, *subaddress, *line, *status;
    int pages;
    int64_t at_ms;
    const char *zone; /* of date and time, "" = the machine's */
};

/* 0, or ERR_INVALID: a name of one file, with {id} in it, so that each fax has a name of its own. */
int route_name_check(const char *pattern);

/* Returns `name`: that of the file, with `extension` (".pdf") behind it. */
char *route_name_make(char name[ROUTE_NAME_SIZE], const char *pattern, const struct route_name_fields *fields,
                      const char *extension);

#endif
