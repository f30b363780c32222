/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The telephone network by SIP as a carrier of our plug-ins: t38 speaks T.38 and falls back to G.711, softmodem speaks
 * G.711 only. Settings: sip_setup.h.
 */
#ifndef FAXD_SIP_CARRIER_H
#define FAXD_SIP_CARRIER_H

#include "plugins/common/fsp.h"

enum sip_carrier_kind { SIP_CARRIER_AUDIO, SIP_CARRIER_T38 };

/* Read the settings of `fsp`, listen, and become its carrier. 0; ERR_INVALID with the key's name, ERR_IO with the
 * address. Start-up thread. */
int sip_carrier_open(struct fsp *fsp, enum sip_carrier_kind kind);

#endif
