/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "plugins/sip/name_servers.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/sip/ip.h"

#define PORT       53
#define LINE_SIZE  512
#define LINES_MAX  1000
#define SERVER_MAX 63 /* letters */

static bool has_route(const struct sockaddr_storage *to, socklen_t size)
{
    int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && connect(fd, (const struct sockaddr *)to, size) == 0;

    if (fd >= 0)
        close(fd);
    return found;
}

bool name_servers_have_route(const char *path)
{
    char line[LINE_SIZE], server[SERVER_MAX + 1];
    struct sockaddr_storage address;
    FILE *file = fopen(path, "re");
    bool any = false, found = false;

    for (int i = 0; file && i < LINES_MAX && !found && fgets(line, sizeof(line), file); i++) {
        socklen_t size = sscanf(line, " nameserver %63s", server) == 1 ? ip_address(&address, server, PORT) : 0;

        any = any || size > 0;
        found = size > 0 && has_route(&address, size);
    }
    if (file)
        fclose(file);
    return found || !any;
}
