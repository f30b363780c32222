/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fax files of ours and of providers, written again: cut, verified, looked at.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_TIDY_H
#define FAXD_CONVERT_TIDY_H

#include <stdbool.h>

struct header;
struct summary;

/* The pages of `input` from `first` (from 1) on, to `output` with right page numbers: what is left of a fax whose first
 * pages were confirmed; with page 1 before them when `repeat_first`. Each gets its header line, with its number in the
 * whole of `input`, unless `header` is NULL. 0; ERR_INVALID when there is no such page or the
 * file is damaged; ERR_FULL, ERR_IO. */
int tidy_cut(struct summary *summary, int input, int output, int first, bool repeat_first, const struct header *header);

/* A received file, perhaps broken off, to a clean one: the whole pages, at most `pages_max` when it is not negative,
 * dot for dot, in the form of fax_tiff.h. Pages behind the first that cannot be read are lost; summary->incomplete and
 * note tell. 0 when at least one page was whole; ERR_INVALID or ERR_UNSUPPORTED when none was (the message says why);
 * ERR_FULL, ERR_IO when the output could not be written. */
int tidy_verify(struct summary *summary, int input, int output, int pages_max);

/* Describe the pages of any TIFF file without reading pictures; stops like tidy_verify. */
int tidy_info(struct summary *summary, int input);

/* What each page of a fax costs: summary->coded and summary->ink. 0; ERR_INVALID, ERR_UNSUPPORTED, ERR_FULL. */
int tidy_measure(struct summary *summary, int input);

#endif
