/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys from files, and the client that goes with them. */
#include "config.h"

#include "contrib/common/account.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "web/cli/client.h"

#define KEY_MAX 256

static int check_file(int fd, const char *path)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return err_set(ERR_IO, "cannot look at the key file %s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return err_set(ERR_INVALID, "the key file %s is no regular file", path);
    if (about.st_mode & S_IRWXO)
        return err_set(ERR_DENIED, "everybody may read the key file %s: chmod o= %s", path, path);
    return 0;
}

static int take_key(char **key, char *line, const char *path)
{
    line[strcspn(line, " \t\r\n")] = '\0';
    size_t length = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.~+/=");
    if (length == 0 || line[length] != '\0')
        return err_set(ERR_INVALID, "there is no key in the first line of %s", path);
    *key = xstrdup(line);
    return 0;
}

int account_read_key(char **key, const char *path)
{
    char line[KEY_MAX + 2] = "";
    *key = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_set(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot read the key file %s: %s", path,
                       strerror(errno));
    int error = check_file(fd, path);
    if (error == 0) {
        ssize_t got = read(fd, line, sizeof line - 1);
        error = got < 0 ? err_set(ERR_IO, "cannot read the key file %s: %s", path, strerror(errno))
                        : take_key(key, line, path);
    }
    close(fd);
    return error;
}

int account_open(struct client **client, const char *url, const char *key)
{
    if (url == NULL || url[0] == '\0')
        url = ACCOUNT_DEFAULT_URL;
    *client = NULL;
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return err_set(ERR_INVALID, "the server's address is \"%s\", it has to begin with http:// or https://", url);
    if (client_open(client, url, key) != 0)
        return err_set(ERR_INTERNAL, "libcurl cannot be used");
    client_hush(*client);
    return 0;
}

int account_open_with(struct client **client, const char *url, const char *key_file)
{
    char *key = NULL;
    *client = NULL;
    int error = account_read_key(&key, key_file);
    if (error == 0)
        error = account_open(client, url, key);
    free(key);
    return error;
}
