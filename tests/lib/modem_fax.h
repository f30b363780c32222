/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signal part of a modem of the bench: the fax commands of ITU-T T.31 and the samples that come of them.
 *
 * It is spandsp's t31_state_t without the parts of it that do not behave as a modem does. Those are done here or above:
 *   - its command interpreter: it gets one fax command at a time, from this file alone
 *   - abort of a pending command (it forgets what its modems and handlers are doing)
 *   - five seconds without data from the host (T.31 8.3.3: ERROR; it waits for ever)
 *   - a second CONNECT when the host is slower than the preamble of V.21
 *   - writes beyond its buffers (long frames either way, a full page buffer), octets behind DLE ETX, DLE SUB in pages
 *
 * Results and data of the host's direction come by handlers, from within the calls below.
 *
 * Thread: one (the bench, under its lock).
 */
#ifndef FAXD_TESTS_MODEM_FAX_H
#define FAXD_TESTS_MODEM_FAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum modem_result {
    MODEM_OK,
    MODEM_CONNECT,
    MODEM_RING,
    MODEM_NO_CARRIER,
    MODEM_ERROR,
    MODEM_NO_DIALTONE,
    MODEM_BUSY,
    MODEM_NO_ANSWER,
    MODEM_FCERROR,
    MODEM_FRH3 /* +FRH:3, with AT+FAR=1 */
};

enum modem_fax_mode {
    MODEM_FAX_COMMAND,   /* the host gives commands */
    MODEM_FAX_RECEIVING, /* +FRH, +FRM, +FRS, +FTS, dialling, answering: any octet of the host aborts */
    MODEM_FAX_FRAMES,    /* +FTH: the host gives frames */
    MODEM_FAX_PAGE       /* +FTM: the host gives data up to DLE ETX */
};

struct modem_fax_handlers {
    void (*result)(void *user, enum modem_result result);
    void (*data)(void *user, const uint8_t *octets, size_t count); /* shielded by DLE, with DLE ETX */
    void (*line_is_done)(void *user);                              /* no carrier within S7: the modem hangs up */
    void *user;
};

struct modem_fax;

/* On hook. `handlers` is copied. The caller frees with modem_fax_free. */
struct modem_fax *modem_fax_new(const struct modem_fax_handlers *handlers);

/* NULL is fine. */
void modem_fax_free(struct modem_fax *fax);

enum modem_fax_mode modem_fax_mode(const struct modem_fax *fax);

/* Off hook as a caller, whose call stands `elapsed_ms` after ATD; no carrier within `carrier_wait_s` (S7) of that is
 * NO CARRIER. CONNECT comes with the first frame. */
void modem_fax_call(struct modem_fax *fax, int64_t elapsed_ms, int carrier_wait_s);

/* Off hook as the called end: CED, then CONNECT as of +FTH=3. */
void modem_fax_answer(struct modem_fax *fax);

/* On hook, without a result. */
void modem_fax_hang_up(struct modem_fax *fax);

/* A fax command while off hook: `name` of "FTS" "FRS" "FTM" "FRM" "FTH" "FRH" with a value that the standard has.
 * Its results come by the handler. */
void modem_fax_command(struct modem_fax *fax, const char *name, int value);

/* AT+FAR. */
void modem_fax_set_adaptive(struct modem_fax *fax, bool adaptive);

/* In mode RECEIVING the host sent an octet: the command ends, DLE ETX before the OK when data was under way. `result`
 * is what is said then. */
void modem_fax_abort(struct modem_fax *fax, enum modem_result result);

/* What is being received is given up: no DLE ETX, no result. */
void modem_fax_drop(struct modem_fax *fax);

/* Data of the host in the modes FRAMES and PAGE. Returns how many octets were taken: fewer when there is no room now,
 * or when the mode ended with the last one taken. */
size_t modem_fax_put(struct modem_fax *fax, const uint8_t *octets, size_t count);

/* 20 ms of line: what the modem says, then what it hears. */
void modem_fax_say(struct modem_fax *fax, int16_t *samples, int count);
void modem_fax_hear(struct modem_fax *fax, int16_t *samples, int count);

/* True once for each time that page data ran out before DLE ETX. */
bool modem_fax_ran_dry(struct modem_fax *fax);

#endif
