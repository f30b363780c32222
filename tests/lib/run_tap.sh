#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs one test program for automake's TAP driver: run_tap.sh PROGRAM ARGUMENT... A program that hangs is ended; the exit
# status is the program's.
exec timeout -k 10 "${FAXD_TEST_TIMEOUT_S:-600}" "$@"
