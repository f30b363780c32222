/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The master side of a pseudo-terminal. Its slave, the device, is kept open here as well: otherwise a host that made it
 * its own (TIOCEXCL) could never open it again, since a pseudo-terminal forgets that only with its last end. So whether
 * the host has it open is not to be seen at the master, and is counted (device_watch.h). */
#include "config.h"

#include "tests/lib/modem_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/lib/device_watch.h"

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
    int master, slave_fd;
    struct device_watch watch;
    bool up; /* DTR at the last look */
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
    /* Opened before it is watched: this one does not count. */
    pty->slave_fd = open(pty->slave, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (pty->slave_fd < 0)
        return err_set(ERR_IO, "cannot open %s: %s", pty->slave, strerror(errno));
    return device_watch_begin(&pty->watch, pty->slave);
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
    pty->master = pty->slave_fd = pty->watch.number = -1;
    result = make_terminal(pty);
    if (result == 0)
        result = make_link(pty);
    if (result < 0) {
        pty->link[0] = '\0';
        modem_pty_close(pty);
        return result;
    }
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
    device_watch_end(&pty->watch);
    if (pty->slave_fd >= 0)
        close(pty->slave_fd);
    if (pty->master >= 0)
        close(pty->master);
    free(pty);
}

int modem_pty_data_fd(const struct modem_pty *pty)
{
    return pty->master;
}

int modem_pty_watch_fd(const struct modem_pty *pty)
{
    (void)pty;
    return device_watch_fd();
}

/* Nobody has it open: it is as new, for any host. */
static void make_new(const struct modem_pty *pty)
{
    ioctl(pty->slave_fd, TIOCNXCL);
    set_raw(pty->master);
}

enum modem_pty_dtr modem_pty_look(struct modem_pty *pty)
{
    bool was_up = pty->up, closed;
    int opens = device_watch_look(&pty->watch, &closed);
    struct termios settings;

    if (closed && opens == 0)
        make_new(pty);
    pty->up = opens > 0 && (tcgetattr(pty->master, &settings) < 0 || cfgetospeed(&settings) != B0);
    if (!pty->up)
        return MODEM_PTY_DOWN;
    return was_up && closed ? MODEM_PTY_DROPPED : MODEM_PTY_UP;
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

    pty->said_count = 0;
    pty->piece_count = 0;
    tcflush(pty->slave_fd, TCIFLUSH);
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
    if (!pty->up || count == 0)
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
