/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a stranger's message in a process of its own, behind a fence (server/base/sandbox.h), with limits of memory
 * and time: a message made to break the parser costs that process, and its sender gets told.
 *
 * Thread: one.
 */
#ifndef FAXMAIL_READER_H
#define FAXMAIL_READER_H

struct incoming;
struct mail;
struct settings;

/* Read the message in `incoming` into `mail`; documents go to the new file `*documents`, which the caller closes. 0
 * also when the message cannot be read, which mail->refusal then says; ERR_IO or ERR_INTERNAL when this machine is to
 * blame. The caller clears `mail` in any case. */
int reader_run(struct mail *mail, int *documents, const struct settings *settings, const struct incoming *incoming);

#endif
