/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text as it is looked for and sorted: "Müller  &  Söhne" and "MULLER & sohne" are the same.
 *
 * Thread: any.
 */
#ifndef FAXD_BASE_FOLD_H
#define FAXD_BASE_FOLD_H

#include <stddef.h>

/* Fold UTF-8: no case, no accents, one space where there is white space, none at the ends. At most size - 1 octets, cut
 * between characters; what is not UTF-8 folds to "". Returns `folded`. */
char *fold_text(char *folded, size_t size, const char *text);

/* The first text behind all that begin with `prefix`, for a range of an index. At most size - 1 octets. Returns `end`.
 */
char *fold_range_end(char *end, size_t size, const char *prefix);

#endif
