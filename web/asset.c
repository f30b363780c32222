/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The assembler copies the files in as they are: no generator, no escaping, and nothing to find at run time, so that
 * faxd shows its pages from the build folder as well as installed. */
#include "web/asset.h"

#define ASSET(name, file)                                                                                              \
    __asm__(".pushsection .rodata\n"                                                                                   \
            ".global asset_" #name "\n.hidden asset_" #name "\n"                                                       \
            ".global asset_" #name "_end\n.hidden asset_" #name "_end\n"                                               \
            "asset_" #name ":\n.incbin \"" WEB_SOURCES "/" file "\"\n"                                                 \
            "asset_" #name "_end:\n.byte 0\n"                                                                          \
            ".popsection\n")

ASSET(index_html, "ui/index.html");
ASSET(style_css, "ui/style.css");
ASSET(start_js, "ui/start.js");
ASSET(icon_svg, "ui/icon.svg");
ASSET(openapi_json, "openapi.json");
