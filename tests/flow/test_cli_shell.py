#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands around the commands of fax: completion, in bash and zsh as people use them, help and the manual page. All of
them come from the tables of the commands. Prints TAP. With --page the manual page's section is written anew."""
import os
import pty
import re
import select
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import BUILD, FAST_RETRIES, PAGES, PATIENCE_S, SOURCE, exchange, fact, main, same, started, within  # noqa: E402

COMPLETION = os.path.join(SOURCE, "web/cli/completion")
PAGE = os.path.join(SOURCE, "web/cli/fax.1")


def fax(*words, server=None):
    """What it prints; it has to succeed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FAXD_")}
    environment["XDG_CONFIG_HOME"] = "/nonexistent"
    environment |= {"FAXD_URL": f"http://127.0.0.1:{server.port}", "FAXD_KEY": server.key} if server else \
                   {"FAXD_URL": "http://127.0.0.1:9"}
    done = subprocess.run([os.path.join(BUILD, "fax"), *words], capture_output=True, text=True, timeout=60, check=False,
                          env=environment)
    same((words, done.returncode, done.stderr), (words, 0, ""))
    return done.stdout


def offered(*words, server=None):
    """What is offered for the last of the words."""
    return [line.split("\t")[0] for line in fax("--complete", *words, server=server).splitlines()]


def groups():
    """Groups and their commands."""
    found = {}
    for name in offered(""):
        help_text = fax(name, "--help")
        found[name] = offered(name, "") if help_text.startswith(f"Usage: fax {name} COMMAND") else None
    return found


def commands():
    return [[name] if subs is None else [name, sub] for name, subs in groups().items() for sub in (subs or [None])]


def options_in_help(*command):
    return re.findall(r"^ +(?:-\w, )?(--[\w-]+)", fax(*command, "--help"), re.M)


# --- tables ---

@fact
def commands_their_commands_and_their_options_are_offered():
    same(offered("li"), ["list", "link", "lines", "line"])
    same(offered("user", ""), ["list", "show", "add", "change", "disable", "enable", "password", "remove"])
    same(offered("user", "re"), ["remove"])
    same(offered("user", "add", "bob", "--ro"), ["--role"])
    within("--server", offered("user", "add", "--"))
    same(offered("--se"), ["--server"])
    same(offered("--json", "user", "--state", "/x", "en"), ["enable"])
    same(offered("dance", ""), offered(""))
    same(offered("user", "dance", ""), [])
    within("list faxes, newest first", fax("--complete", "li"))


@fact
def values_of_options_are_offered():
    roles = ["admin", "operator", "sender", "reader"]
    same(offered("user", "add", "bob", "--role", ""), roles)
    same(offered("user", "add", "bob", "--role", "s"), ["sender"])
    same(offered("user", "add", "--role=s"), ["--role=sender"])
    same(offered("key", "create", "--scopes", "fax:send,doc"), ["fax:send,document:read"])
    same(offered("key", "create", "--scopes=fax:send,doc"), ["--scopes=fax:send,document:read"])
    same(offered("list", "-n", ""), [])
    same((offered("send", ""), offered("get", "x", "-o", ""), offered("--key-file", "")), (["@file"],) * 3)
    same(offered("send", "--", "--he"), ["@file"])
    same(offered("user", "list", ""), [])


@fact
def every_command_completes_its_options():
    for command in commands():
        wanted = options_in_help(*command) + ["--server", "--key-file", "--state", "--json", "--help"]
        same((command, sorted(offered(*command, "--"))), (command, sorted(wanted)))


@fact
def every_command_has_help():
    for name, subs in groups().items():
        if subs is not None:
            text = fax(name, "--help")
            same([sub for sub in subs if f"\n  {sub}" not in text], [])
    for command in commands():
        text = fax(*command, "--help")
        same(text.startswith("Usage: fax " + " ".join(command)), True)
        same([line for line in text.splitlines() if len(line) > 120], [])
        same(fax(*command, "-h"), text)
    same(fax("help"), fax("--help"))
    for name in groups():
        within(f"\n  {name} ", fax("--help"))
    same(fax("--version").split()[0], "fax")


# --- what the server has ---

@fact
def names_and_ids_are_offered_by_the_server():
    server = started(FAST_RETRIES + exchange())
    for name in ("bob", "ben", "ann"):
        same(server.ask("POST", "/v1/users", {"name": name, "role": "sender"}).status, 201)
    users = {user["name"]: user["id"] for user in server.get("/v1/users")["data"]}
    same(sorted(offered("user", "show", "", server=server)), ["ann", "ben", "bob"])
    same(sorted(offered("user", "disable", "b", server=server)), ["ben", "bob"])
    same(sorted(offered("user", "remove", "ann", "b", server=server)), [])
    same(offered("user", "show", users["bob"][:-2], server=server), [users["bob"]])
    same(sorted(offered("key", "create", "--user", "b", server=server)), ["ben", "bob"])
    same(offered("line", "show", "exchange/1001", server=server), ["exchange/1001"])
    same(sorted(offered("inbox", "assign", "fax_X", "b", server=server)), ["ben", "bob"])
    same(sorted(offered("inbox", "list", "--assigned", "", server=server)), ["ann", "ben", "bob", "me", "none"])
    within("plain", offered("send", "--cover", "", server=server))
    rule = server.ask("POST", "/v1/rules/block", {"direction": "outbound", "kind": "number", "value": "1900"}).json["id"]
    same(offered("block", "show", "", server=server), [rule])
    for name in ("Ann", "Anna Berg"):
        same(server.ask("POST", "/v1/contacts", {"name": name, "number": "1002"}).status, 201)
    same(sorted(offered("contact", "show", "An", server=server)), ["Ann", "Anna Berg"])
    held = server.send("1002", hold=True)
    server.wait_state(held, "held")
    sent = server.send("1002")
    server.wait_state(sent)
    same(offered("release", "", server=server), [held])
    within(held, offered("cancel", "", server=server))
    within(sent, offered("show", "fax_", server=server))
    # The words say which server, and without one there is nothing to wait for.
    words = ("--server", f"http://127.0.0.1:{server.port}", "--state", server.state)
    same(sorted(offered(*words, "user", "show", "b")), ["ben", "bob"])
    same(sorted(offered("user", "show", *words, "b")), ["ben", "bob"])
    same(offered("user", "show", "b"), [])


# --- shells ---

def typed(shell, prepare, server, *lines):
    """Type each line and a tab at a shell; what stands there then, without what was said before."""
    environment = {"PATH": f"{BUILD}:/usr/bin:/bin", "HOME": server.folder, "TERM": "dumb", "PS1": "", "LC_ALL": "C.UTF-8",
                   "FAXD_URL": f"http://127.0.0.1:{server.port}", "FAXD_KEY": server.key}
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(server.folder)
        os.execvpe(shell[0], shell, environment)
    seen, results = b"", []

    def until(mark):
        nonlocal seen
        while mark not in seen:
            if not select.select([terminal], [], [], PATIENCE_S)[0]:
                raise AssertionError(f"{shell[0]} says no more: {seen!r}")
            seen += os.read(terminal, 4096)
        before, _, seen = seen.partition(mark)
        return before.decode()
    os.write(terminal, prepare.encode() + b"\nprintf '%s%s\\n' re ady\n")
    until(b"ready\r\n")
    for number, line in enumerate(lines):
        # To the beginning of the line, to print it instead of running it.
        os.write(terminal, line.encode() + b"\t" + b"\x01printf '<%s>' \x05" + f"; printf '%s%s\\n' en d{number}\r".encode())
        results.append(re.findall(r"<([^<>]*)>", until(f"end{number}\r\n".encode()).rpartition("printf")[2]))
    os.write(terminal, b"\x03exit\n")
    os.close(terminal)
    os.waitpid(pid, 0)
    return results


LINES = [("fax rep", ["fax", "report"]),
         ("fax user disa", ["fax", "user", "disable"]),
         ("fax user disable bo", ["fax", "user", "disable", "bob"]),
         ("fax user add x --role op", ["fax", "user", "add", "x", "--role", "operator"]),
         ("fax user add x --role=op", ["fax", "user", "add", "x", "--role=operator"]),
         ("fax user add x --rol", ["fax", "user", "add", "x", "--role"]),
         ("fax contact show Ann", ["fax", "contact", "show", "Anna Berg"]),
         ("fax send --to 1002 lett", ["fax", "send", "--to", "1002", "letter.tif"])]


def prepared():
    server = started(FAST_RETRIES + exchange())
    same(server.ask("POST", "/v1/users", {"name": "bob", "role": "sender"}).status, 201)
    same(server.ask("POST", "/v1/contacts", {"name": "Anna Berg", "number": "1002"}).status, 201)
    os.symlink(PAGES[0], os.path.join(server.folder, "letter.tif"))
    return server


@fact
def bash_completes():
    server = prepared()
    found = typed(["bash", "--norc", "--noprofile", "-i"], f"bind 'set bell-style none'; source {COMPLETION}/fax", server,
                  *[line for line, _ in LINES])
    same(found, [words for _, words in LINES])


@fact
def zsh_completes():
    server = prepared()
    found = typed(["zsh", "-f", "-i"], f"fpath=({COMPLETION} $fpath); autoload -U compinit; compinit -D -u; unsetopt beep "
                  "prompt_sp prompt_cr; bindkey -e", server, *[line for line, _ in LINES])
    same(found, [words for _, words in LINES])


# --- the manual page ---

def page():
    """What stands before its section COMMANDS, the section, and the rest."""
    with open(PAGE, encoding="utf-8") as file:
        whole = file.read()
    begin = whole.index(".SH COMMANDS\n")
    end = whole.index(".SH ", begin + 4)
    return whole[:begin], whole[begin:end], whole[end:]


@fact
def the_manual_page_has_the_commands_and_options_that_there_are():
    section, wanted = page()[1].splitlines(), fax("--manual").splitlines()
    same([pair for pair in zip(section, wanted) if pair[0] != pair[1]][:1], [])
    same(len(section), len(wanted))


@fact
def the_manual_page_has_the_options_of_all_commands_and_the_exit_statuses():
    before, _, behind = page()
    options = before[before.index(".SH OPTIONS"):].replace("\\-", "-")
    for option in offered("--"):
        within(option, options)
    statuses = behind[behind.index(".SH EXIT STATUS"):behind.index(".SH ENVIRONMENT")]
    same(re.findall(r"^\.TP\n(\d)$", statuses, re.M), list("012345678"))
    same(sorted(re.findall(r"  (\d)  \S", fax("--help"))), list("012345678"))


@fact
def the_manual_page_is_formatted_without_complaint():
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", PAGE], capture_output=True, text=True, check=False,
                          env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
    same((done.returncode, done.stderr), (0, ""))
    within("fax user password USER", re.sub(".\x08", "", done.stdout))


def write_page():
    before, _, behind = page()
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(before + fax("--manual") + behind)
    return 0


if __name__ == "__main__":
    sys.exit(write_page() if sys.argv[1:] == ["--page"] else main())
