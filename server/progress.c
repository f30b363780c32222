/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The middle of both stories: between the order of a call and its end, status packets move the fax through its states
 * and count its pages. */
#include "server/progress.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/attempt.h"
#include "spool/fax_state.h"

#include <stdlib.h>

#define PAGE_MAX 10000 /* a provider that says more is mistaken */

/* Where a fax goes from a state when its call is under way on a page (0 = none yet). A fax that is to be canceled stays
 * so. */
static enum fax_state state_after(enum fax_state state, uint32_t page)
{
    if (state == FAX_RINGING)
        return FAX_RECEIVING;
    if (page > 0 && (state == FAX_DIALING || state == FAX_NEGOTIATING))
        return FAX_SENDING;
    return state == FAX_DIALING ? FAX_NEGOTIATING : state;
}

static int show_state(struct spool *spool, int64_t row, const struct link_message *status)
{
    struct fax fax = {0};
    enum fax_state next;
    int error = fax_get(&fax, spool, row);

    if (error != 0)
        return error;
    next = state_after(fax.state, status->page);
    if (next != fax.state) {
        if (status->station_id != NULL && status->station_id[0] != '\0') {
            free(fax.remote_station_id);
            fax.remote_station_id = xstrdup(status->station_id);
        }
        error = fax_state_change(spool, &fax, next);
    }
    fax_clear(&fax);
    return error;
}

/* The far end speaks T.30, or is about to. */
static bool is_connected(const struct link_message *status)
{
    return status->phase == LINK_PHASE_TRANSMITTING || status->phase == LINK_PHASE_RECEIVING;
}

void progress_take(struct spool *spool, struct line *line, const struct link_message *status)
{
    int64_t id = (int64_t)line->job.id;
    int page = status->page < PAGE_MAX ? (int)status->page : PAGE_MAX;
    int error = 0;

    if (!is_connected(status) && status->phase != LINK_PHASE_ANSWERED)
        return;
    if (is_connected(status) && !line->job.transmitting) {
        error = attempt_set_transmitting(spool, id);
        if (error == 0)
            error = attempt_set_connected(spool, id, clock_now_ms());
        line->job.transmitting = true;
    }
    if (error == 0)
        error = show_state(spool, line->job.fax, status);
    /* PageCount is the page under way: those before it are through. */
    if (error == 0 && page > line->job.page && page > 1)
        error = attempt_set_pages(spool, id, page - 1);
    if (page > line->job.page)
        line->job.page = page;
    if (error != 0)
        log_warning("progress not recorded fax=%s line=%s: %s", line->job.fax_id, line->id, err_message());
}
