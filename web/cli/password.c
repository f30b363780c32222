/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A password and where it comes from. */
#include "config.h"

#include "web/cli/password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/cli.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define PASSWORD_MAX 4096 /* how long one may be is for the server to say */

const struct cli_option password_options[] = {
    {"password-file", 0, CLI_TEXT, "FILE", "the password is the first line of FILE (- is standard input)",
     .complete = "@file"},
    {"password-fd", 0, CLI_NUMBER, "N", "the password is the first line of the descriptor N", .field = NULL},
    {"ask-password", 0, CLI_FLAG, NULL, "ask for the password on the terminal, without echo", .field = NULL},
    {.name = NULL},
};

void password_free(char *password)
{
    if (password != NULL)
        explicit_bzero(password, strlen(password));
    free(password);
}

/* The first line, octet by octet: what follows it in a pipe is for others. NULL when it is empty or too long. */
static char *read_line(int fd)
{
    char line[PASSWORD_MAX + 1], *password = NULL;
    size_t length = 0;
    while (length < PASSWORD_MAX) {
        ssize_t got = read(fd, line + length, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || line[length] == '\n')
            break;
        length++;
    }
    while (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    if (length > 0 && length < PASSWORD_MAX && strlen(line) == length)
        password = xstrdup(line);
    explicit_bzero(line, sizeof line);
    return password;
}

static int from_descriptor(char **password, int fd, const char *called)
{
    *password = read_line(fd);
    if (*password != NULL)
        return VERDICT_OK;
    text_complain("there is no password in the first line of %s", called);
    return VERDICT_ERROR;
}

static int from_file(char **password, const char *path)
{
    if (strcmp(path, "-") == 0)
        return from_descriptor(password, STDIN_FILENO, "standard input");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        char *said = xasprintf("cannot read %s: %s", path, strerror(errno));
        text_complain("%s", said);
        free(said);
        return VERDICT_ERROR;
    }
    int verdict = from_descriptor(password, fd, path);
    close(fd);
    return verdict;
}

/* One line from the terminal, without echo. NULL when there is none. */
static char *ask_once(int terminal, const char *prompt)
{
    struct termios before, silent;
    if (tcgetattr(terminal, &before) != 0)
        return NULL;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(terminal, TCSAFLUSH, &silent) != 0)
        return NULL;
    dprintf(terminal, "%s", prompt);
    char *password = read_line(terminal);
    tcsetattr(terminal, TCSAFLUSH, &before);
    dprintf(terminal, "\n");
    return password;
}

static int ask(char **password)
{
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), verdict = VERDICT_ERROR;
    if (terminal < 0) {
        text_complain("there is no terminal to ask for the password: use --password-file or --password-fd");
        return VERDICT_ERROR;
    }
    char *first = ask_once(terminal, "New password: ");
    char *second = first != NULL ? ask_once(terminal, "Once more: ") : NULL;
    if (first == NULL || second == NULL)
        text_complain("no password was typed");
    else if (strcmp(first, second) != 0)
        text_complain("these were two different passwords");
    else
        verdict = VERDICT_OK;
    password_free(second);
    if (verdict == VERDICT_OK)
        *password = first;
    else
        password_free(first);
    close(terminal);
    return verdict;
}

int password_take(char **password, struct cli *cli, bool needed)
{
    const char *path = cli_value(cli, "password-file"), *descriptor = cli_value(cli, "password-fd");
    bool asked = cli_value(cli, "ask-password") != NULL;
    int64_t fd = 0;
    *password = NULL;
    if ((path != NULL) + (descriptor != NULL) + asked > 1) {
        text_complain("the password comes from one place: --password-file, --password-fd or --ask-password");
        return VERDICT_ERROR;
    }
    if (path != NULL)
        return from_file(password, path);
    if (descriptor != NULL) {
        str_to_int(&fd, descriptor, 0, INT32_MAX);
        return from_descriptor(password, (int)fd, descriptor);
    }
    return asked || needed ? ask(password) : VERDICT_OK;
}
