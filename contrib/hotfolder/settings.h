/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxd-hotfolder.conf.
 *
 * Thread: one.
 */
#ifndef FAXD_HOTFOLDER_SETTINGS_H
#define FAXD_HOTFOLDER_SETTINGS_H

#include "contrib/common/pattern.h"

#include <stdint.h>
#include <sys/types.h>

enum sidecar { SIDECAR_NO, SIDECAR_OPTIONAL, SIDECAR_REQUIRED };

struct folder_settings {
    char *path, *key_file; /* absolute */
    struct pattern *patterns;
    uid_t *owners;
    char **fields; /* KEY=VALUE */
    int pattern_count, owner_count, field_count;
    enum sidecar sidecar;
    int64_t sidecar_wait_ms, size_max;
    bool hard_links, keep;
};

struct settings {
    char *server;
    int64_t settle_ms, rescan_ms, follow_ms; /* rescan 0 = never */
    struct folder_settings *folders;
    int folder_count;
};

/* Every fault of the file goes to standard error with its line. 0 or ERR_INVALID, ERR_NOT_FOUND. Cleared with
 * settings_clear in either case. */
int settings_read(struct settings *settings, const char *path);
void settings_clear(struct settings *settings);

#endif
