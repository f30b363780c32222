#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs one test program for automake's TAP driver: run_tap.sh PROGRAM ARGUMENT...
# A program that hangs is ended. cmocka 1.1 writes a fact that was skipped as "not ok N # SKIP name", which TAP counts as
# failed; here it becomes a skip. The exit status is the program's.
exec 4>&1
status=$({ {
    timeout -k 10 "${FAXD_TEST_TIMEOUT_S:-600}" "$@" 3>&- 4>&-
    echo $? >&3
} | sed -u 's/^not ok \([0-9]*\) # SKIP/ok \1 # SKIP/' >&4; } 3>&1)
exit "$status"
