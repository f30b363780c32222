/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about lock files of serial devices. */
#include "config.h"

#include "plugins/class1/lock.h"

#include "server/base/err.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/facts.h"

static char folder[] = "/tmp/faxd-lock-XXXXXX", lock_file[64];
static const char device[] = "/dev/null"; /* any device will do */

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(lock_file, sizeof lock_file, "%s/LCK..null", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* nothing may be left */
}

static void lock_as(const char *content)
{
    FILE *file = fopen(lock_file, "w");

    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void lock_as_pid(int pid)
{
    char text[16];

    snprintf(text, sizeof text, "%10d\n", pid);
    lock_as(text);
}

/* A process id that belongs to nobody any more. */
static int dead_pid(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    return pid;
}

static void a_lock_names_its_process_in_ten_characters(void **state)
{
    char text[32] = "", wanted[32];
    struct stat status;
    struct lock *lock;
    FILE *file;

    (void)state;
    assert_int_equal(lock_take(&lock, folder, device), 0);
    file = fopen(lock_file, "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text - 1, file), 11);
    fclose(file);
    snprintf(wanted, sizeof wanted, "%10d\n", (int)getpid());
    assert_string_equal(text, wanted);
    assert_int_equal(stat(lock_file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
    lock_release(lock);
    assert_int_equal(access(lock_file, F_OK), -1);
}

static void a_link_locks_the_device_behind_it(void **state)
{
    char link_path[64];
    struct lock *lock;

    (void)state;
    snprintf(link_path, sizeof link_path, "%s/modem", folder);
    assert_int_equal(symlink(device, link_path), 0);
    assert_int_equal(lock_take(&lock, folder, link_path), 0);
    assert_int_equal(access(lock_file, F_OK), 0);
    lock_release(lock);
    unlink(link_path);
}

static void a_lock_of_a_living_process_holds(void **state)
{
    struct lock *lock;

    (void)state;
    lock_as_pid(1);
    assert_int_equal(lock_take(&lock, folder, device), ERR_CONFLICT);
    assert_null(lock);
    assert_non_null(strstr(err_message(), "process 1 ("));
    assert_int_equal(access(lock_file, F_OK), 0);
    unlink(lock_file);
}

static void a_lock_of_a_dead_process_is_taken_over(void **state)
{
    struct lock *lock;

    (void)state;
    lock_as_pid(dead_pid());
    assert_int_equal(lock_take(&lock, folder, device), 0);
    lock_release(lock);
}

static void a_lock_of_our_own_number_is_ours_only_while_we_hold_it(void **state)
{
    struct lock *lock, *second;

    (void)state;
    lock_as_pid(getpid()); /* of an earlier process that had it */
    assert_int_equal(lock_take(&lock, folder, device), 0);
    assert_int_equal(lock_take(&second, folder, device), ERR_CONFLICT);
    assert_non_null(strstr(err_message(), "another line of this provider"));
    lock_release(lock);
    assert_int_equal(lock_take(&second, folder, device), 0);
    lock_release(second);
}

static void a_lock_that_names_nobody_holds_while_it_is_new(void **state)
{
    const struct timespec old[2] = {{.tv_sec = time(NULL) - 3600}, {.tv_sec = time(NULL) - 3600}};
    struct lock *lock;

    (void)state;
    lock_as("");
    assert_int_equal(lock_take(&lock, folder, device), ERR_CONFLICT);
    lock_as("not a number, and far longer than a lock should ever be\n");
    assert_int_equal(lock_take(&lock, folder, device), ERR_CONFLICT);
    assert_int_equal(utimensat(AT_FDCWD, lock_file, old, 0), 0);
    assert_int_equal(lock_take(&lock, folder, device), 0);
    lock_release(lock);
}

/* A child: waits for the start, tries, tells, and holds what it has until the end. */
static void try_in_child(int start, int told, int end)
{
    struct lock *lock;
    char octet = '\0', result;

    (void)!read(start, &octet, 1);
    result = lock_take(&lock, folder, device) == 0;
    (void)!write(told, &result, 1);
    (void)!read(end, &octet, 1);
    lock_release(lock);
    _exit(0);
}

static void of_many_who_want_a_stale_lock_one_gets_it(void **state)
{
    int start[2], told[2], end[2], got = 0;
    char result = 0;

    (void)state;
    lock_as_pid(dead_pid());
    assert_int_equal(pipe(start) | pipe(told) | pipe(end), 0);
    for (int i = 0; i < 20; i++)
        if (fork() == 0) {
            close(start[1]);
            close(end[1]);
            try_in_child(start[0], told[1], end[0]);
        }
    close(start[1]); /* all at once */
    for (int i = 0; i < 20; i++) {
        assert_int_equal(read(told[0], &result, 1), 1);
        got += result;
    }
    close(end[1]);
    for (int i = 0; i < 20; i++)
        assert_true(wait(NULL) > 0);
    close(start[0]);
    close(told[0]);
    close(told[1]);
    close(end[0]);
    assert_int_equal(got, 1);
}

static void no_folder_is_no_lock(void **state)
{
    struct lock *lock;

    (void)state;
    assert_int_equal(lock_take(&lock, "", device), 0);
    assert_null(lock);
    lock_release(lock);
    assert_int_equal(lock_take(&lock, "/nowhere/at/all", device), ERR_IO);
    assert_non_null(strstr(err_message(), "lock_dir"));
    assert_int_equal(lock_take(&lock, folder, "/dev/no-such-device"), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_lock_names_its_process_in_ten_characters),
        cmocka_unit_test(a_link_locks_the_device_behind_it),
        cmocka_unit_test(a_lock_of_a_living_process_holds),
        cmocka_unit_test(a_lock_of_a_dead_process_is_taken_over),
        cmocka_unit_test(a_lock_of_our_own_number_is_ours_only_while_we_hold_it),
        cmocka_unit_test(a_lock_that_names_nobody_holds_while_it_is_new),
        cmocka_unit_test(of_many_who_want_a_stale_lock_one_gets_it),
        cmocka_unit_test(no_folder_is_no_lock),
    };
    return cmocka_run_group_tests_name("lock", facts, make_folder, remove_folder);
}
