/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The assembler copies the files in as they are: no generator, no escaping, and nothing to find at run time, so that
 * faxd shows its pages from the build folder as well as installed. A new file needs a line here and one in
 * Makefile.inc. */
#include "web/asset.h"

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define TAG_OCTETS 16

#define HTML "text/html; charset=utf-8"
#define CSS  "text/css; charset=utf-8"
#define JS   "text/javascript; charset=utf-8"
#define SVG  "image/svg+xml"

#define PAGE(name)   FILE(page_##name##_js, "ui/pages/" #name ".js", "/ui/pages/" #name ".js", JS)
#define HELPER(name) FILE(lib_##name##_js, "ui/lib/" #name ".js", "/ui/lib/" #name ".js", JS)

/* symbol, file, path, type */
/* clang-format takes the rows for one expression. */
/* clang-format off */
#define FILES                                                                                                          \
    FILE(index_html, "ui/index.html", "/", HTML)                                                                       \
    FILE(style_css, "ui/style.css", "/ui/style.css", CSS)                                                              \
    FILE(theme_js, "ui/theme.js", "/ui/theme.js", JS)                                                                  \
    FILE(app_js, "ui/app.js", "/ui/app.js", JS)                                                                        \
    HELPER(access) HELPER(actions) HELPER(api) HELPER(covers_view) HELPER(dialog) HELPER(dom) HELPER(editing)          \
    HELPER(form) HELPER(identities_view) HELPER(deliveries_view) HELPER(inbound_rules_view)                            \
    HELPER(route_method_form) HELPER(window_form)                                                                      \
    HELPER(format) HELPER(icons) HELPER(inbox_tools) HELPER(lines_view) HELPER(metrics) HELPER(parts)                  \
    HELPER(picture) HELPER(plot) HELPER(preview) HELPER(recipients) HELPER(send_form) HELPER(stream) HELPER(table)     \
    HELPER(trace) HELPER(viewer) HELPER(words)                                                                         \
    PAGE(account) PAGE(audit) PAGE(batches) PAGE(contacts) PAGE(covers) PAGE(dashboard) PAGE(destinations)             \
    PAGE(explorer) PAGE(fax) PAGE(faxes) PAGE(inbox) PAGE(keys) PAGE(lines) PAGE(missing) PAGE(reports) PAGE(rules)    \
    PAGE(send) PAGE(signin) PAGE(system) PAGE(users) PAGE(webhooks)                                                    \
    FILE(icon_svg, "ui/icon.svg", "/favicon.ico", SVG)                                                                 \
    FILE(openapi_json, "openapi.json", "/v1/openapi.json", "application/json")
/* clang-format on */

#define FILE(name, file, path, type)                                                                                   \
    __asm__(".pushsection .rodata\n"                                                                                   \
            ".global asset_" #name "\n.hidden asset_" #name "\n"                                                       \
            ".global asset_" #name "_end\n.hidden asset_" #name "_end\n"                                               \
            "asset_" #name ":\n.incbin \"" WEB_SOURCES "/" file "\"\n"                                                 \
            "asset_" #name "_end:\n.byte 0\n"                                                                          \
            ".popsection\n");                                                                                          \
    extern const char asset_##name[], asset_##name##_end[];
FILES
#undef FILE

#define FILE(name, file, path, type) {path, type, asset_##name, asset_##name##_end},
static const struct asset assets[] = {FILES};
#undef FILE

#define COUNT (sizeof assets / sizeof assets[0])

const struct asset *asset_find(const char *path)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(assets[i].path, path) == 0)
            return &assets[i];
    return NULL;
}

const char *asset_tag(const struct asset *asset)
{
    static char tags[COUNT][2 * TAG_OCTETS + 1];
    char *tag = tags[asset - assets];
    unsigned char hash[TAG_OCTETS];

    if (!*tag) {
        crypto_generichash(hash, sizeof hash, (const unsigned char *)asset->begin,
                           (unsigned long long)(asset->end - asset->begin), NULL, 0);
        sodium_bin2hex(tag, sizeof tags[0], hash, sizeof hash);
    }
    return tag;
}
