/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files built into the program: the pages and the description of the API.
 *
 * Thread: any (constant).
 */
#ifndef FAXD_WEB_ASSET_H
#define FAXD_WEB_ASSET_H

/* First octet and the one past the last. */
extern const char asset_index_html[], asset_index_html_end[];
extern const char asset_style_css[], asset_style_css_end[];
extern const char asset_start_js[], asset_start_js_end[];
extern const char asset_icon_svg[], asset_icon_svg_end[];
extern const char asset_openapi_json[], asset_openapi_json_end[];

#endif
