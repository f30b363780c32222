/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other program is a stranger too: what it makes is read like any upload, in another child with the narrow fence.
 */
#include "config.h"

#include "spool/convert/external.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/media_type.h"

#define ARGUMENTS_MAX 32
#define PATH_SIZE     4096
#define WORDS_SIZE    200 /* of what the program said last */
#define COPY_SIZE     65536
#define CHILD_ROUNDS  100 /* of ending children that make others meanwhile */

/* For the signal handler: the process group of the program, 0 = none. */
static volatile sig_atomic_t group;
static volatile sig_atomic_t was_ended;

static void end_group(int signal_number)
{
    (void)signal_number;
    was_ended = 1;
    if (group > 0)
        kill(-(pid_t)group, SIGKILL);
}

/* ---- the folder ---- */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)where;
    if (type == FTW_DP ? rmdir(path) != 0 : unlink(path) != 0)
        log_warning("cannot remove %s: %s", path, strerror(errno));
    return 0;
}

static int copy_octets(int to, int from)
{
    static char buffer[COPY_SIZE];
    off_t at = 0;
    ssize_t got;
    while ((got = pread(from, buffer, sizeof buffer, at)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || write(to, buffer, (size_t)got) != got)
            return err_set(ERR_IO, "cannot copy a document: %s", strerror(errno));
        at += got;
    }
    return 0;
}

static int make_folder(char path[PATH_SIZE], char input_path[PATH_SIZE], const char *below, int input)
{
    if (snprintf(path, PATH_SIZE, "%s/convert-XXXXXX", below) >= PATH_SIZE - 16 || mkdtemp(path) == NULL) {
        path[0] = '\0';
        return err_set(ERR_IO, "cannot make a folder below %.200s: %s", below, strerror(errno));
    }
    snprintf(input_path, PATH_SIZE, "%.*s/input", PATH_SIZE - 16, path);
    int fd = open(input_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(ERR_IO, "cannot make %s: %s", input_path, strerror(errno));
    int error = copy_octets(fd, input);
    if (error == 0 && geteuid() == 0 &&
        (fchown(fd, SANDBOX_NOBODY, SANDBOX_NOBODY) != 0 || chown(path, SANDBOX_NOBODY, SANDBOX_NOBODY) != 0))
        error = err_set(ERR_IO, "cannot give %s away: %s", path, strerror(errno));
    close(fd);
    return error;
}

/* ---- the program ---- */

static char *replaced(const char *argument, const char *name, const char *with)
{
    const char *at = strstr(argument, name);
    if (at == NULL)
        return xstrdup(argument);
    return xasprintf("%.*s%s%s", (int)(at - argument), argument, with, at + strlen(name));
}

static int make_arguments(char *arguments[ARGUMENTS_MAX + 1], const json_t *argv, const char *folder, const char *input)
{
    size_t count = json_array_size(argv);
    if (count == 0 || count > ARGUMENTS_MAX)
        return err_set(ERR_INVALID, "argv has to be a list of 1 to %d texts", ARGUMENTS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(argv, i));
        if (text == NULL)
            return err_set(ERR_INVALID, "argv has to be a list of texts");
        char *half = replaced(text, "{input}", input);
        arguments[i] = replaced(half, "{folder}", folder);
        free(half);
    }
    return 0;
}

static _Noreturn void run_program(char *const *arguments, const char *folder, int words,
                                  const struct sandbox_limits *limits)
{
    char home[PATH_SIZE], temporary[PATH_SIZE];
    snprintf(home, sizeof home, "HOME=%s", folder);
    snprintf(temporary, sizeof temporary, "TMPDIR=%s", folder);
    char *environment[] = {home, temporary, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL};
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    setpgid(0, 0);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(words, 1) < 0 || dup2(words, 2) < 0 || chdir(folder) != 0)
        _exit(126);
    close_range(3, ~0u, 0);
    for (int number = 1; number < 32; number++)
        signal(number, SIG_DFL);
    alarm(0);
    if (sandbox_enter_program(limits, folder) != 0)
        _exit(126);
    execve(arguments[0], arguments, environment);
    dprintf(2, "cannot run %s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

/* The last line that is not empty. */
static void last_words(char text[WORDS_SIZE], int fd)
{
    char tail[2 * WORDS_SIZE];
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)sizeof tail - 1 ? size - ((off_t)sizeof tail - 1) : 0;
    ssize_t got = pread(fd, tail, sizeof tail - 1, from);
    tail[got > 0 ? got : 0] = '\0';
    for (char *at = tail + strlen(tail); at > tail && (at[-1] == '\n' || at[-1] == ' '); at--)
        at[-1] = '\0';
    const char *line = strrchr(tail, '\n');
    snprintf(text, WORDS_SIZE, "%.*s", WORDS_SIZE - 1, line != NULL ? line + 1 : tail);
    for (char *c = text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
}

static int verdict(int status, int words, const char *program, unsigned wall_s)
{
    char text[WORDS_SIZE];
    const char *name = strrchr(program, '/') != NULL ? strrchr(program, '/') + 1 : program;
    last_words(text, words);
    if (was_ended)
        return err_set(ERR_INVALID, "%s took more than %u seconds and was ended: send the document in parts", name,
                       wall_s);
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127))
        return err_set(ERR_IO, "%s cannot be run: %s", name, text);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(ERR_INVALID, "%s cannot convert the document%s%s", name, text[0] != '\0' ? ": " : "", text);
    return 0;
}

/* What the program has left running was given to this process (PR_SET_CHILD_SUBREAPER), in whatever group it is. */
static void end_children(void)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    for (int round = 0; round < CHILD_ROUNDS; round++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
        if (fd >= 0)
            close(fd);
        if (got <= 0)
            return;
        text[got] = '\0';
        for (char *at = text, *end; *at != '\0'; at = end) {
            long pid = strtol(at, &end, 10);
            if (end == at)
                break;
            if (pid > 0)
                kill((pid_t)pid, SIGKILL);
        }
        usleep(1000);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
}

static int run(char *const *arguments, const char *folder, const struct sandbox_limits *limits, unsigned wall_s)
{
    int words = memfd_create("words", MFD_CLOEXEC), status = 0, error = 0;
    if (words < 0)
        return err_set(ERR_IO, "cannot make a temporary file: %s", strerror(errno));
    pid_t program = fork();
    if (program == 0)
        run_program(arguments, folder, words, limits);
    if (program < 0) {
        error = err_set(ERR_IO, "cannot start another program: %s", strerror(errno));
    } else {
        setpgid(program, program); /* whoever comes first */
        group = program;
        if (was_ended) /* before the handler knew whom to end */
            kill(-program, SIGKILL);
        alarm(wall_s);
        while (waitpid(program, &status, 0) < 0 && errno == EINTR)
            if (was_ended)
                kill(-program, SIGKILL);
        alarm(0);
        kill(-program, SIGKILL); /* what it left behind */
        group = 0;
        end_children();
        error = verdict(status, words, arguments[0], wall_s);
    }
    close(words);
    return error;
}

/* Whatever else it made would be faxed as what it is, its error messages as a text. */
static bool is_pdf(int fd)
{
    char head[1024];
    ssize_t got = pread(fd, head, sizeof head, 0);
    return got > 0 && media_type_of(head, (size_t)got) == MEDIA_PDF;
}

static int take_output(int output, const char *folder, const char *program)
{
    char path[PATH_SIZE];
    struct stat status;
    const char *name = strrchr(program, '/') != NULL ? strrchr(program, '/') + 1 : program;
    snprintf(path, sizeof path, "%.*s/input.pdf", PATH_SIZE - 16, folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool good = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && is_pdf(fd);
    int error = good ? copy_octets(output, fd) : err_set(ERR_INVALID, "%s made no PDF of the document", name);
    if (fd >= 0)
        close(fd);
    return error;
}

int external_convert(int input, int output, const json_t *argv, const char *folder, const struct sandbox_limits *limits,
                     unsigned wall_s)
{
    char path[PATH_SIZE] = "", input_path[PATH_SIZE];
    char *arguments[ARGUMENTS_MAX + 1] = {NULL};
    signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    /* First of all: whoever is told to end has to remove the folder. */
    struct sigaction action = {.sa_handler = end_group};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    int error = make_folder(path, input_path, folder, input);
    if (error == 0)
        error = make_arguments(arguments, argv, path, input_path);
    if (error == 0)
        error = run(arguments, path, limits, wall_s);
    if (error == 0)
        error = take_output(output, path, arguments[0]);
    for (size_t i = 0; i < ARGUMENTS_MAX; i++)
        free(arguments[i]);
    if (path[0] != '\0')
        nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return error;
}
