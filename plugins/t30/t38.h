/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The T.38 terminal of a session: spandsp's, with a clock that needs no ticking.
 *
 * Line time goes on with t38_advance only. t38_due tells when the terminal wants to do something by itself, so that its
 * owner sleeps until then or until a packet comes.
 *
 * Thread: one (a part of the session).
 */
#ifndef FAXD_T30_T38_H
#define FAXD_T30_T38_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <tiffio.h>
#include <spandsp.h>

#define T38_VERSION_MAX 3

struct t38;

/* An IFP packet (T.38 7) to be sent once; `image` when it can be done without sooner than others: a part of the image
 * or of the training check. 0; else the terminal ends its T.30. */
typedef int t38_send_fn(void *context, const uint8_t *ifp, int size, bool image);

/* A terminal that has not started, for IFP of `version` (0 to T38_VERSION_MAX). The training check is transferred, as
 * T.38 8.2 wants it over UDP. NULL when memory is out. The caller frees with t38_free. */
struct t38 *t38_new(bool calling, int version, t38_send_fn *send, void *context);

/* Its T.30 has to be terminated before. NULL is fine. */
void t38_free(struct t38 *t38);

/* The T.30 inside; borrowed. */
t30_state_t *t38_t30(struct t38 *t38);

/* Line time goes by, `samples` of 1/8000 s; what is due on the way is sent. */
void t38_advance(struct t38 *t38, int samples);

/* An IFP packet of the far end; `sequence` is that of UDPTL. Any octets. */
void t38_receive(struct t38 *t38, const uint8_t *ifp, int size, uint16_t sequence);

/* Line time until the terminal or T.30 has something to do, in samples; 0 = now, INT_MAX = never. */
int t38_due(const struct t38 *t38);

/* True while the terminal sends something: a tone, a frame, a page. */
bool t38_is_sending(const struct t38 *t38);

/* True while the far end is known to be sending. */
bool t38_is_hearing(const struct t38 *t38);

/* True when the terminal was stopped since it would have sent for ever. */
bool t38_is_wild(const struct t38 *t38);

#endif
