/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers of the unit tests. */
#include "config.h"

#include "tests/lib/facts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int facts_open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count - 1;
}

int facts_in_child(int (*fact)(void *), void *argument)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(fact(argument));
    assert_true(pid > 0);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int facts_temporary_file(char path[64])
{
    const char *folder = getenv("TMPDIR");
    int length = snprintf(path, 64, "%s/faxd-test-XXXXXX", folder ? folder : "/tmp");
    assert_in_range(length, 1, 63);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    return fd;
}
