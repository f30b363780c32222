/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses in letters, for sockets. Thread: any. */
#ifndef FAXD_SIP_IP_H
#define FAXD_SIP_IP_H

#include <sys/socket.h>

/* The address of `text`, IPv4 or IPv6 without brackets, and `port`: its size; 0 when `text` is none. */
socklen_t ip_address(struct sockaddr_storage *to, const char *text, int port);

#endif
