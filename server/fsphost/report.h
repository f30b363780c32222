/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What workers and control threads hand back to the I/O thread: a list under a lock, and an eventfd that rings when it
 * stops being empty. First in, first out.
 *
 * Thread: report_post and report_fault any; the rest the I/O thread.
 */
#ifndef FAXD_FSPHOST_REPORT_H
#define FAXD_FSPHOST_REPORT_H

#include <stdint.h>

#define REPORT_NO_LINE UINT32_MAX

enum report_kind {
    REPORT_JOB,     /* embedded in a struct job whose operation has ended */
    REPORT_CONTROL, /* embedded in a struct control_call that was made */
    REPORT_FAULT    /* a struct report_fault */
};

/* Embedded in what is handed back; whoever takes it owns the whole. */
struct report {
    struct report *next;
    enum report_kind kind;
};

/* The FSP did what it must not; freed with free(). */
struct report_fault {
    struct report report;
    uint32_t line; /* or REPORT_NO_LINE */
    char text[200];
};

struct report_box;

/* 0 or ERR_IO. Freed with report_box_free; reports that nobody took are forgotten. */
int report_box_new(struct report_box **out);
void report_box_free(struct report_box *box);

/* Readable while something is in it; borrowed. */
int report_box_fd(const struct report_box *box);

/* Hand `report` over. */
void report_post(struct report_box *box, struct report *report);

/* Tell of a fault; while 64 of them wait, further ones are only counted (the next one says how many). */
void report_fault(struct report_box *box, uint32_t line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Everything in it, oldest first, linked by `next`; NULL when empty. The caller owns them. */
struct report *report_take(struct report_box *box);

#endif
