/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmocka with the headers that it wants before it, and few helpers that unit tests share. */
#ifndef FAXD_TESTS_FACTS_H
#define FAXD_TESTS_FACTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

/* How many descriptors this process has open, not counting the one used to look. */
int facts_open_descriptors(void);

/* Run `fact` in a forked child and return its exit status, or 128 + the number of the signal that ended it. The child
 * leaves by _exit(): neither cmocka nor a leak checker looks at it. */
int facts_in_child(int (*fact)(void *), void *argument);

/* Make a new empty file in $TMPDIR or /tmp and fill `path` (room for 64 octets) with its name. Returns a descriptor. */
int facts_temporary_file(char path[64]);

#endif
