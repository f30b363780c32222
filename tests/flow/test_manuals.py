#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every program says what it can do, by --help and in its manual page, and both say the same. Prints TAP."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import BUILD, SOURCE, fact, main, octets, same, within  # noqa: E402

MANUALS = {"faxd": "server/faxd.8", "faxd-fsp": "server/fsphost/faxd-fsp.8", "faxd-t30": "plugins/t30/faxd-t30.8",
           "faxd-convert": "spool/convert/faxd-convert.8"}


def says(program, *arguments):
    done = subprocess.run([os.path.join(BUILD, program), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def options(text):
    return set(re.findall(r"(?<![\w-])--[a-z0-9][a-z0-9-]*", text))


def manual(program):
    return octets(os.path.join(SOURCE, MANUALS[program])).decode().replace("\\-", "-").replace("\\fR", " ")


@fact
def every_program_tells_its_version():
    for program in MANUALS:
        code, out, err = says(program, "--version")
        same((code, err, bool(re.fullmatch(program + r" \d+\.\d+\.\d+\n", out))), (0, "", True))


@fact
def every_program_tells_how_it_is_used():
    for program in MANUALS:
        code, out, err = says(program, "--help")
        same((code, err), (0, ""))
        within(f"Usage: {program}", out)
        within("Exit status:", out)


@fact
def wrong_usage_is_refused_and_names_the_help():
    for program in MANUALS:
        code, out, err = says(program, "--no-such-option")
        same((code in (1, 2), out), (True, ""))
        if program != "faxd-fsp":  # getopt says it all
            within(f"Try {program} --help", err)


@fact
def every_option_is_in_the_manual_and_the_manual_has_no_others():
    for program in MANUALS:
        same(options(manual(program)), options(says(program, "--help")[1]))


@fact
def manuals_are_laid_out_without_a_complaint():
    pages = [os.path.join(SOURCE, path) for path in MANUALS.values()]
    pages += [os.path.join(SOURCE, path) for path in ("server/faxd.conf.5", "web/cli/fax.1", "plugins/class1/faxd-class1.7")]
    for page in pages:
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100"}, check=False)
        same((page, done.returncode, done.stderr), (page, 0, ""))


if __name__ == "__main__":
    sys.exit(main())
