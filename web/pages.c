/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages, their parts, and the description of the API: constant files out of the program. */
#include "web/api.h"
#include "web/asset.h"
#include "web/request.h"

/* Only what comes from here, no inline script or style, no frame around it, and no text that becomes markup. */
#define POLICY                                                                                                         \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "              \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "                                                    \
    "require-trusted-types-for 'script'; trusted-types 'none'"

void pages_file(struct request *request)
{
    const struct asset *asset = asset_find(request->path);

    if (!asset) {
        request_problem(request, 404, "no_such_resource", "there is nothing at this path");
        return;
    }
    request_header(request, "Content-Security-Policy", POLICY);
    /* Asked for again each time, and answered with 304 until the program is another: a page never meets parts of the
     * version before. */
    if (!request_is_known(request, asset_tag(asset), "no-cache"))
        request_reply_text(request, 200, asset->type, asset->begin, (size_t)(asset->end - asset->begin));
}
