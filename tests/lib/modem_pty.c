/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The master side of a pseudo-terminal. The slave is opened here for moments only, since whether the host has it open
 * is what DTR is. */
#include "config.h"

#include "tests/lib/modem_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#define PATH_SIZE  256
#define SAID_MAX   65536 /* octets that wait for the host */
#define PIECES_MAX 256   /* of different times */
#define FORGET_MAX 65536 /* octets that the kernel may hold for us */
#define READ_AWAY  4096

struct piece {
    int64_t due_ms;
    size_t count;
};

struct modem_pty {
    int master;
    bool open; /* the host has it open */
    char slave[PATH_SIZE], link[PATH_SIZE];
    uint8_t said[SAID_MAX]; /* what waits, oldest first */
    size_t said_count;
    struct piece pieces[PIECES_MAX];
    int piece_count;
};

static int make_link(const struct modem_pty *pty)
{
    struct stat there;

    if (lstat(pty->link, &there) == 0) {
        if (!S_ISLNK(there.st_mode))
            return err_set(ERR_CONFLICT, "%s is there and is not a symbolic link: remove it", pty->link);
        unlink(pty->link);
    }
    if (symlink(pty->slave, pty->link) < 0)
        return err_set(ERR_IO, "cannot link %s to %s: %s", pty->link, pty->slave, strerror(errno));
    return 0;
}

/* A host that sets nothing gets a raw line, as from a real serial device that was set by the one before. */
static int set_raw(int master)
{
    struct termios settings;

    if (tcgetattr(master, &settings) < 0)
        return -1;
    cfmakeraw(&settings);
    cfsetspeed(&settings, B115200);
    return tcsetattr(master, TCSANOW, &settings);
}

static int make_terminal(struct modem_pty *pty)
{
    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (pty->master < 0 || grantpt(pty->master) < 0 || unlockpt(pty->master) < 0 || set_raw(pty->master) < 0 ||
        ptsname_r(pty->master, pty->slave, sizeof pty->slave) != 0)
        return err_set(ERR_IO, "cannot make a pseudo-terminal: %s", strerror(errno));
    return 0;
}

int modem_pty_open(struct modem_pty **out, const char *link)
{
    struct modem_pty *pty = NULL;
    int result;

    *out = NULL;
    if (strlen(link) >= PATH_SIZE)
        return err_set(ERR_TOO_BIG, "the path of a link has %d octets at most", PATH_SIZE - 1);
    pty = xcalloc(1, sizeof *pty);
    strcpy(pty->link, link);
    result = make_terminal(pty);
    if (result == 0)
        result = make_link(pty);
    if (result < 0) {
        pty->link[0] = '\0';
        modem_pty_close(pty);
        return result;
    }
    /* Opened and closed once, it shows from now on that nobody has it open. */
    modem_pty_forget(pty);
    *out = pty;
    return 0;
}

static void remove_link(const struct modem_pty *pty)
{
    char target[PATH_SIZE];
    ssize_t length = pty->link[0] ? readlink(pty->link, target, sizeof target - 1) : -1;

    if (length < 0)
        return;
    target[length] = '\0';
    if (strcmp(target, pty->slave) == 0)
        unlink(pty->link);
}

void modem_pty_close(struct modem_pty *pty)
{
    if (!pty)
        return;
    remove_link(pty);
    if (pty->master >= 0)
        close(pty->master);
    free(pty);
}

int modem_pty_poll_fd(const struct modem_pty *pty)
{
    return pty->open ? pty->master : -1;
}

bool modem_pty_look(struct modem_pty *pty)
{
    struct pollfd look = {.fd = pty->master, .events = POLLIN};
    struct termios settings;

    poll(&look, 1, 0);
    pty->open = !(look.revents & (POLLHUP | POLLERR));
    return pty->open && (tcgetattr(pty->master, &settings) < 0 || cfgetospeed(&settings) != B0);
}

size_t modem_pty_read(struct modem_pty *pty, uint8_t *octets, size_t size)
{
    ssize_t got = read(pty->master, octets, size);

    return got > 0 ? (size_t)got : 0;
}

void modem_pty_forget(struct modem_pty *pty)
{
    uint8_t away[READ_AWAY];
    size_t got, all = 0;
    int slave = open(pty->slave, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    pty->said_count = 0;
    pty->piece_count = 0;
    if (slave >= 0) {
        tcflush(slave, TCIFLUSH);
        close(slave);
    }
    while (all < FORGET_MAX && (got = modem_pty_read(pty, away, sizeof away)) > 0)
        all += got;
}

/* ---- what the modem says ---- */

static struct piece *piece_of(struct modem_pty *pty, int64_t due_ms)
{
    struct piece *last = pty->piece_count > 0 ? &pty->pieces[pty->piece_count - 1] : NULL;

    if (last && (last->due_ms >= due_ms || pty->piece_count == PIECES_MAX))
        return last;
    pty->pieces[pty->piece_count] = (struct piece){.due_ms = due_ms};
    return &pty->pieces[pty->piece_count++];
}

bool modem_pty_say(struct modem_pty *pty, const uint8_t *octets, size_t count, int later_ms)
{
    if (!pty->open || count == 0)
        return true;
    if (count > SAID_MAX - pty->said_count)
        return false;
    memcpy(pty->said + pty->said_count, octets, count);
    pty->said_count += count;
    piece_of(pty, clock_mono_ms() + later_ms)->count += count;
    return true;
}

static void take_away(struct modem_pty *pty, size_t count)
{
    memmove(pty->said, pty->said + count, pty->said_count - count);
    pty->said_count -= count;
    pty->pieces[0].count -= count;
    if (pty->pieces[0].count > 0)
        return;
    pty->piece_count--;
    memmove(pty->pieces, pty->pieces + 1, (size_t)pty->piece_count * sizeof *pty->pieces);
}

bool modem_pty_flush(struct modem_pty *pty)
{
    int64_t now_ms = pty->piece_count > 0 ? clock_mono_ms() : 0;
    ssize_t put;

    while (pty->piece_count > 0 && pty->pieces[0].due_ms <= now_ms) {
        put = write(pty->master, pty->said, pty->pieces[0].count);
        if (put <= 0)
            return false;
        take_away(pty, (size_t)put);
    }
    return pty->piece_count == 0;
}
