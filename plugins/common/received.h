/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strings that a provider leaves in a FAX_RECEIVE block: what was sent as CSID, and the name of the station.
 *
 * Thread: the job's.
 */
#ifndef FAXD_PLUGINS_COMMON_RECEIVED_H
#define FAXD_PLUGINS_COMMON_RECEIVED_H

#include "plugins/include/faxdev.h"

/* Put number and name (UTF-8) behind the file name of `block`, which has FAXDEVRECEIVE_SIZE octets behind its struct
 * (fsp-abi 3.7). What does not fit, or is empty, stays NULL; a file name that stands elsewhere leaves no place known
 * and so both NULL. */
void received_fill(FAX_RECEIVE *block, const char *number, const char *name);

#endif
