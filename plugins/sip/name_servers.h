/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether there is a way to a name server. The SIP library's resolver must not be asked while there is none: where it
 * cannot connect its socket to any, it tries for ever and takes its thread along (sres_send_dns_query of 1.12.11; what
 * should end that adds to the largest time_t, which is no condition to a compiler). Thread: any; does not wait. */
#ifndef FAXD_SIP_NAME_SERVERS_H
#define FAXD_SIP_NAME_SERVERS_H

#include <stdbool.h>

/* Has one of those that the file names (resolv.conf(5)) a route? Nothing is sent. True when it names none: then the
 * library asks this machine. */
bool name_servers_have_route(const char *path);

#endif
