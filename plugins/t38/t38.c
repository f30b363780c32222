/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The t38 provider: fax over SIP by T.38, in G.711 where the far end has no T.38. The exported calls are
 * common/fsp.c's, the way to the far end is plugins/sip/sip_carrier.c's. */
#include "plugins/sip/sip_carrier.h"

static int open_t38(struct fsp *fsp)
{
    return sip_carrier_open(fsp, SIP_CARRIER_T38);
}

const struct fsp_kind fsp_kind = {.name = "t38", .open = open_t38};
