/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial devices. Software flow control is not set here: in Class 1 the octet 0x13 is an ordinary one while frames or
 * pages are received, so the engine switches XON/XOFF on for the time in which it sends a page, and only then.
 */
#include "config.h"

#include "plugins/class1/tty.h"

#include "plugins/class1/lock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct tty {
    int fd;
    char *path;
    struct lock *lock;
    struct stat opened;
    int speed_bps;
};

static const struct {
    int bps;
    speed_t code;
} speeds[] = {{115200, B115200}, {57600, B57600},   {38400, B38400},  {19200, B19200},
              {230400, B230400}, {460800, B460800}, {921600, B921600}};

#define AUTOMATIC_COUNT 4 /* of `speeds`, the first ones */

static const char *group_name(gid_t gid, char *buffer, size_t size)
{
    struct group group, *found = NULL;

    return getgrgid_r(gid, &group, buffer, size, &found) == 0 && found != NULL ? found->gr_name : "its group";
}

static const char *user_name(char *buffer, size_t size)
{
    struct passwd user, *found = NULL;

    return getpwuid_r(geteuid(), &user, buffer, size, &found) == 0 && found != NULL ? found->pw_name : "faxd";
}

static int denied(const char *path)
{
    char group_buffer[1024], user_buffer[1024];
    const char *group = "dialout", *user = user_name(user_buffer, sizeof user_buffer);
    struct stat status;

    if (stat(path, &status) == 0)
        group = group_name(status.st_gid, group_buffer, sizeof group_buffer);
    return err_set(
        ERR_DENIED,
        "permission denied: %.100s belongs to the group %.32s; add the user %.32s to it (usermod -a -G %.32s "
        "%.32s) and start faxd again",
        path, group, user, group, user);
}

static int cannot_open(const char *path)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ENXIO:
        return err_set(ERR_NOT_FOUND, "there is no device %s: is the modem plugged in and switched on?", path);
    case EACCES:
    case EPERM:
        return denied(path);
    case EBUSY:
        return err_set(ERR_CONFLICT, "%s is in use by another program, which left no lock file", path);
    case EIO: /* a serial port without hardware, or a device on its way out */
        return err_set(ERR_NOT_FOUND, "nothing is behind the device %s", path);
    default:
        return err_set(ERR_IO, "cannot open %s: %s", path, strerror(errno));
    }
}

static int set_speed(struct termios *mode, int fd, size_t at)
{
    struct termios set;

    cfsetispeed(mode, speeds[at].code);
    cfsetospeed(mode, speeds[at].code);
    if (tcsetattr(fd, TCSANOW, mode) != 0 || tcgetattr(fd, &set) != 0)
        return err_set(ERR_IO, "cannot set the line up: %s", strerror(errno));
    return cfgetospeed(&set) == speeds[at].code ? 0 : ERR_UNSUPPORTED;
}

static int choose_speed(struct tty *tty, struct termios *mode, int wanted_bps)
{
    size_t count = wanted_bps != 0 ? sizeof speeds / sizeof speeds[0] : AUTOMATIC_COUNT;

    for (size_t i = 0; i < count; i++) {
        int err = wanted_bps == 0 || speeds[i].bps == wanted_bps ? set_speed(mode, tty->fd, i) : ERR_UNSUPPORTED;

        if (err == 0)
            tty->speed_bps = speeds[i].bps;
        if (err != ERR_UNSUPPORTED)
            return err;
    }
    if (wanted_bps != 0)
        return err_set(ERR_INVALID, "%s does not run at %d bit/s: set speed_bps to 0, which finds one", tty->path,
                       wanted_bps);
    return err_set(ERR_INVALID, "%s runs at none of the speeds that fax needs", tty->path);
}

static int set_mode(struct tty *tty, const struct tty_options *options)
{
    struct termios mode, set;
    int err;

    if (tcgetattr(tty->fd, &mode) != 0)
        return err_set(ERR_INVALID, "%s is not a serial device", tty->path);
    cfmakeraw(&mode);
    mode.c_iflag &= (tcflag_t) ~(IXON | IXOFF | IXANY);
    mode.c_cflag &= (tcflag_t) ~(CRTSCTS | CSTOPB | PARENB | CSIZE);
    mode.c_cflag |= CS8 | CREAD | CLOCAL | HUPCL;
    if (options->flow == TTY_FLOW_HARDWARE)
        mode.c_cflag |= CRTSCTS;
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    err = choose_speed(tty, &mode, options->speed_bps);
    if (err == 0 && options->flow == TTY_FLOW_HARDWARE &&
        (tcgetattr(tty->fd, &set) != 0 || (set.c_cflag & CRTSCTS) == 0))
        err = err_set(ERR_INVALID, "%s has no RTS/CTS flow control: set flow = software", tty->path);
    return err;
}

static int open_device(struct tty *tty, const struct tty_options *options)
{
    tty->fd = open(options->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (tty->fd < 0)
        return cannot_open(options->path);
    if (fstat(tty->fd, &tty->opened) != 0 || !S_ISCHR(tty->opened.st_mode) || !isatty(tty->fd))
        return err_set(ERR_INVALID, "%s is not a serial device", options->path);
    if (ioctl(tty->fd, TIOCEXCL) != 0)
        log_warning("%s cannot be had exclusively: %s", options->path, strerror(errno));
    return set_mode(tty, options);
}

int tty_open(struct tty **out, const struct tty_options *options)
{
    struct tty *tty = xcalloc(1, sizeof *tty);
    int err;

    tty->fd = -1;
    tty->path = xstrdup(options->path);
    err = access(options->path, F_OK) != 0 ? cannot_open(options->path) : 0;
    if (err == 0)
        err = lock_take(&tty->lock, options->lock_dir, options->path);
    if (err == 0)
        err = open_device(tty, options);
    if (err != 0) {
        tty_close(tty);
        return err;
    }
    tty_set_dtr(tty, true);
    *out = tty;
    return 0;
}

void tty_close(struct tty *tty)
{
    if (tty == NULL)
        return;
    if (tty->fd >= 0) {
        tcflush(tty->fd, TCIOFLUSH); /* or close waits for a modem that takes nothing */
        ioctl(tty->fd, TIOCNXCL);    /* an engine may still have it for a moment */
        close(tty->fd);
    }
    lock_release(tty->lock);
    free(tty->path);
    free(tty);
}

int tty_fd(const struct tty *tty)
{
    return tty->fd;
}

int tty_speed_bps(const struct tty *tty)
{
    return tty->speed_bps;
}

bool tty_is_there(const struct tty *tty)
{
    struct stat status;

    return stat(tty->path, &status) == 0 && status.st_rdev == tty->opened.st_rdev &&
           status.st_ino == tty->opened.st_ino && status.st_dev == tty->opened.st_dev;
}

void tty_flush(struct tty *tty)
{
    tcflush(tty->fd, TCIOFLUSH);
}

void tty_set_dtr(struct tty *tty, bool up)
{
    int lines = TIOCM_DTR | TIOCM_RTS;

    (void)ioctl(tty->fd, up ? TIOCMBIS : TIOCMBIC, &lines);
}
