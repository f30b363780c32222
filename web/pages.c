/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start page, its parts, and the description of the API: constant files out of the program. */
#include "web/api.h"
#include "web/asset.h"
#include "web/request.h"

/* Only what comes from here, no inline script or style, no frame around it. */
#define POLICY                                                                                                         \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "              \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static void give(struct request *request, const char *type, const char *from, const char *end)
{
    request_header(request, "Content-Security-Policy", POLICY);
    request_header(request, "Cache-Control", "no-cache");
    request_reply_text(request, 200, type, from, (size_t)(end - from));
}

void pages_start(struct request *request)
{
    give(request, "text/html; charset=utf-8", asset_index_html, asset_index_html_end);
}

void pages_style(struct request *request)
{
    give(request, "text/css; charset=utf-8", asset_style_css, asset_style_css_end);
}

void pages_script(struct request *request)
{
    give(request, "text/javascript; charset=utf-8", asset_start_js, asset_start_js_end);
}

void pages_icon(struct request *request)
{
    give(request, "image/svg+xml", asset_icon_svg, asset_icon_svg_end);
}

void pages_openapi(struct request *request)
{
    give(request, "application/json", asset_openapi_json, asset_openapi_json_end);
}
