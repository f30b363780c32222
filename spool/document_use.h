/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who needs a document. Documents are named by their content, so that several faxes may share one: it goes with the
 * last that names it.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_DOCUMENT_USE_H
#define FAXD_SPOOL_DOCUMENT_USE_H

struct spool;

/* 1 when a fax names the document, as its upload or as its pages; 0 when none does; or an error. The one place that
 * knows the columns that name documents. */
int document_is_named(struct spool *spool, const char *sha);

/* A fax has just stopped naming `sha` ("" is fine). Unless another one names it, what is remembered to have been made
 * of it is forgotten in this turn, and goes too where nothing else needs it; then its own row, unless it was itself
 * made of an upload that a fax still names. Of several documents of a fax each has to be released, in any order. The
 * files go after the commit, and the sweep removes those that a crash leaves. 0 or an error. */
int document_release(struct spool *spool, const char *sha);

#endif
