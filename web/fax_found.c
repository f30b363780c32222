/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/faxes/{id} and what lies below it. */
#include "web/fax_found.h"

#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"

bool fax_found(struct fax *fax, struct request *request)
{
    int result = fax_find(fax, request->web->options.spool, request->params[0]);

    if (result == ERR_NOT_FOUND)
        request_problem(request, 404, "no_such_fax", "there is no fax %s", request->params[0]);
    else if (result < 0)
        request_error(request, result);
    return result == 0;
}
