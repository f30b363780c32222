/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schema as an ordered list of steps. A step that has been released is never edited: a change is a new step. */
#ifndef FAXD_DB_MIGRATIONS_H
#define FAXD_DB_MIGRATIONS_H

extern const char *const migrations[];
extern const int migrations_count;

#endif
