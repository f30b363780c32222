/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of keys, and what the files of the configuration share: config.c has table, parser and checks,
 * config_read.c turns what was parsed into the struct, config_mail.c has the section about mail,
 * config_example.c prints the table.
 *
 * Thread: loop (or before it).
 */
#ifndef FAXD_SERVER_CONFIG_PRIVATE_H
#define FAXD_SERVER_CONFIG_PRIVATE_H

#include "server/config.h"

#include <confuse.h>

#define CONFIG_MIB (1024L * 1024L)

enum key_type { KEY_TEXT, KEY_WORD, KEY_NUMBER, KEY_SWITCH, KEY_LIST, KEY_NUMBERS };

struct config_key {
    const char *section;
    const char *name;
    enum key_type type;
    const char *fallback; /* default as written in a file */
    long low, high;       /* KEY_NUMBER and each of KEY_NUMBERS; KEY_TEXT: longest in octets */
    const char *words;    /* KEY_WORD: allowed, separated by blanks */
    const char *help;
};

/* Ended by a row without a name; sections in the order of the example file. */
extern const struct config_key config_keys[];
extern const char *const config_sections[]; /* NULL-ended */

/* Report a fault of the text that is being parsed, at the place where `cfg` is. */
void config_fault(cfg_t *cfg, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The section "mail", once "web" was read: config_mail.c. */
void config_mail_read(struct config *config, cfg_t *cfg);
void config_mail_clear(struct config *config);

/* Fill `*config` from what was parsed; faults are reported, and the caller counts them. */
void config_read_all(struct config *config, cfg_t *cfg);

#endif
