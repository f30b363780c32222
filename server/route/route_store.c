/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A name appears in the folder with its whole content behind it, and on the disk, before anybody says that it does.
 *
 * A crash before that leaves a file with another name, which the next try begins anew; a crash after it leaves the
 * file, which the next try finds. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/route/route_store.h"

#include "spool/route_method.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MODE 0640 /* the group of the folder may be that of who reads the files */

static int fail(const char *doing, const char *name)
{
    printf("cannot %s %s: %s\n", doing, name, strerror(errno));
    return 1;
}

/* With a root nothing leads out of it, links neither. */
static int open_folder(const char *root, const char *folder)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    const char *rest;
    size_t length = strlen(root);
    int top, fd;

    if (*root == '\0')
        return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (length > 0 && root[length - 1] == '/')
        length--;
    if (!route_path_lies_in(folder, root)) {
        errno = EXDEV; /* as openat2() says it */
        return -1;
    }
    top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return -1;
    rest = folder + length;
    rest += strspn(rest, "/");
    fd = (int)syscall(SYS_openat2, top, *rest != '\0' ? rest : ".", &how, sizeof how);
    close(top);
    return fd;
}

static int copy(int to)
{
    char buffer[65536];
    ssize_t got;

    while ((got = read(0, buffer, sizeof buffer)) > 0)
        for (ssize_t done = 0, step; done < got; done += step)
            if ((step = write(to, buffer + done, (size_t)(got - done))) < 0)
                return -1;
    return (int)got;
}

static int write_part(int folder, const char *part)
{
    int fd, good;

    unlinkat(folder, part, 0); /* of a try that was cut short */
    fd = openat(folder, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, MODE);
    if (fd < 0)
        return -1;
    good = copy(fd) == 0 && fchmod(fd, MODE) == 0 && fsync(fd) == 0;
    /* Some file systems tell of a full disk only here. */
    return close(fd) == 0 && good ? 0 : -1;
}

/* In no case over a file that is there. */
static int give_name(int folder, const char *part, const char *name)
{
    if (renameat2(folder, part, folder, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(folder, part, folder, name, 0) != 0)
        return -1;
    return unlinkat(folder, part, 0);
}

/* The name is on the disk before it is said, also when an earlier try gave it and came no further. */
static int say_stored(int folder, const char *how, const char *name)
{
    if (fsync(folder) != 0 && errno != EINVAL)
        return fail("store the name of", name);
    printf("%s %s\n", how, name);
    return 0;
}

static int store(int folder, const char *part, const char *name)
{
    if (write_part(folder, part) != 0) {
        int why = errno;

        unlinkat(folder, part, 0);
        errno = why;
        return fail("write", name);
    }
    if (give_name(folder, part, name) != 0) {
        int why = errno;

        unlinkat(folder, part, 0);
        errno = why;
        if (why != EEXIST)
            return fail("name", name);
    }
    return say_stored(folder, "stored as", name);
}

int route_store_main(char **words)
{
    const char *root = words[2], *folder_path = words[3], *name = words[4];
    int folder = open_folder(root, folder_path);
    struct stat status;
    char part[NAME_MAX + 1];

    if (folder < 0)
        return fail("open the folder", folder_path);
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return say_stored(folder, "it is there already as", name);
    /* Two ways to write one folder are two lanes: its own name keeps them apart. */
    snprintf(part, sizeof part, ".%s.part", words[5]);
    return store(folder, part, name);
}
