/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exported calls of a plug-in of ours that finds a way to the far end and hands it to an engine: softmodem and t38
 * are this file and a carrier. A plug-in links fsp.c and defines fsp_kind.
 */
#ifndef FAXD_PLUGINS_COMMON_FSP_H
#define FAXD_PLUGINS_COMMON_FSP_H

#include "plugins/common/carrier.h"
#include "plugins/common/engine.h"
#include "plugins/common/provider.h"
#include "plugins/common/settings.h"

struct fsp {
    struct provider provider;
    struct settings *settings;
    struct engine *engine; /* NULL until FaxDevInitialize */
    struct carrier carrier;
};

struct fsp_kind {
    const char *name; /* of the module, for the log */
    /* Read `fsp->settings` and fill `fsp->carrier`. 0, or an err code with a message that names the key. Start-up
     * thread; calls come only after FaxDevInitialize. */
    int (*open)(struct fsp *fsp);
};

/* The plug-in's. */
extern const struct fsp_kind fsp_kind;

#endif
