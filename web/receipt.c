/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /v1/faxes/{id}/receipt: what became of a fax, on one sheet (spool/receipt_sheet.h). */
#include "spool/fax.h"
#include "spool/receipt_sheet.h"
#include "web/access.h"
#include "web/api.h"
#include "web/rendering.h"
#include "web/request.h"
#include "web/web_private.h"

#include <stdio.h>
#include <unistd.h>

static void reply_receipt(struct request *request, const struct fax *fax)
{
    char name[96];
    json_t *job;
    int input, result = receipt_sheet(&job, &input, request_spool(request), fax);

    if (result < 0) {
        request_error(request, result);
        return;
    }
    snprintf(name, sizeof name, "inline; filename=\"receipt-%s.pdf\"", fax->public_id);
    request_header(request, "Content-Disposition", name);
    rendering_reply(request, &input, 1, job, NULL, "application/pdf", "");
    close(input);
}

void receipt_get(struct request *request)
{
    static const char *const names[] = {NULL};
    struct fax fax;

    if (!request_check_query(request, names) || !access_fax(&fax, request))
        return;
    if (!fax_state_is_final(fax.state))
        request_problem(request, 409, "not_ended", "the fax is %s: there is a receipt when it has ended",
                        fax_state_name(fax.state));
    else
        reply_receipt(request, &fax);
    fax_clear(&fax);
}
