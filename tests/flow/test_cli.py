#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fax, the command line: every command of its tables once for a person and once for a program, against one server that has
what they need. test_fax.py is about how a fax is sent and followed. Prints TAP."""
import csv
import io
import json
import os
import pty
import re
import select
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import (BUILD, FAST_RETRIES, PAGES, PATIENCE_S, Receiver, Script, exchange, fact, main, octets, same,  # noqa: E402
                  started, wait_for, within)

TESTED = {"at_ms": 1795222800000, "ok": True, "status": 200, "reason": "OK", "rtt_ms": 3}
PBX = {"trunks": [{"name": "main", "state": "up", "kind": "static", "calls": 0}],
       "devices": [{"line": 0, "state": "up", "device": "/dev/ttyUSB0", "model": "a model"}]}
PASSWORD = "correct horse battery"
SIMULATOR = 'provider "sim" {\n module = simulator\n line "1" { number = "+12025550198" }\n line "2" { number = "+12025550197" }\n}\n'


class Shell:
    """A server and how `fax` is called there."""
    called = set()  # which commands were, by any of them, with --json and without

    def __init__(self, server):
        self.server = server

    def run(self, *words, **more):
        """Exit status, standard output, standard error."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FAXD_")}
        done = subprocess.run([os.path.join(BUILD, "fax"), "--server", f"http://127.0.0.1:{self.server.port}", "--state",
                               self.server.state, *words], capture_output=True, text=True, timeout=PATIENCE_S, env=environment,
                              check=False, **more)
        if done.returncode == 0:
            self.called.update((name, "--json" in words) for name in (words[0], " ".join(words[:2])))
        return done.returncode, done.stdout, done.stderr

    def text(self, *words, **more):
        """What it prints; it has to succeed."""
        code, out, err = self.run(*words, **more)
        same((words, code, err if code else ""), (words, 0, ""))
        return out

    def json(self, *words, **more):
        out = self.text(*words, "--json", **more)
        return json.loads(out) if out else None

    def refused(self, *words, **more):
        """What it complains of; it has to fail and print nothing else."""
        status = more.pop("status", 1)
        code, out, err = self.run(*words, **more)
        same((words, code, out), (words, status, ""))
        return err


def shell(config=FAST_RETRIES + exchange()):
    return Shell(started(config))


def rows(out):
    """A table as lists of cells."""
    return [re.split(r" {2,}", line) for line in out.splitlines()]


def all_commands():
    """Every command of the tables: "list", "user add"."""
    def names(*words):
        done = subprocess.run([os.path.join(BUILD, "fax"), "--complete", *words, ""], capture_output=True, text=True, check=True)
        return [line.split("\t")[0] for line in done.stdout.splitlines()]
    manual = subprocess.run([os.path.join(BUILD, "fax"), "--manual"], capture_output=True, text=True, check=True).stdout
    groups = set(re.findall(r"\\fBfax (\w+)\\fR \\fICOMMAND", manual))
    return [name for name in names() if name not in groups] + [f"{name} {sub}" for name in names() if name in groups
                                                               for sub in names(name)]


@fact
def users_are_let_in_and_out():
    fax = shell()
    path = os.path.join(fax.server.folder, "password")
    with open(path, "w", encoding="utf-8") as file:
        file.write(PASSWORD + "\nwhat else stands there\n")
    bob = fax.text("user", "add", "bob", "--role", "sender", "--full-name", "Bob B.", "--password-file", path).strip()
    ann = fax.json("user", "add", "ann", "--role", "admin", "--email", "ann@example.com", "--password-file", "-",
                   input=PASSWORD)
    same((ann["name"], ann["role"], ann["email"]), ("ann", "admin", "ann@example.com"))
    same([u["name"] for u in fax.json("user", "list")], ["ann", "bob"])
    head, *listed = rows(fax.text("user", "list"))
    same((head[:4], listed), (["ID", "NAME", "FULL NAME", "ROLE"], [[ann["id"], "ann", "admin", "no"],
                                                                  [bob, "bob", "Bob B.", "sender", "no"]]))
    within("Role         sender", fax.text("user", "show", "bob"))
    same(fax.json("user", "show", bob)["display_name"], "Bob B.")
    same(fax.server.ask("POST", "/v1/session", {"name": "bob", "password": PASSWORD}).status, 200)
    same(fax.text("user", "change", "bob", "--full-name", "", "--role", "reader"), "")
    same([fax.json("user", "change", bob, "--email", "b@example.com")[key] for key in ("display_name", "role", "email")],
         [None, "reader", "b@example.com"])
    same(fax.text("user", "disable", "bob"), "")
    same(fax.json("user", "disable", "bob")["disabled"], True)
    same(fax.text("user", "enable", "bob"), "")
    same(fax.json("user", "enable", "bob")["disabled"], False)
    read, write = os.pipe()
    os.write(write, b"another one of his\n")
    os.close(write)
    same(fax.text("user", "password", "bob", "--password-fd", str(read), pass_fds=(read,)), "")
    os.close(read)
    same(fax.server.ask("POST", "/v1/session", {"name": "bob", "password": "another one of his"}).status, 200)
    same(fax.json("user", "password", "bob", "--password-file", path)["name"], "bob")
    cid = fax.text("user", "add", "cid", "--role", "reader").strip()
    same((fax.text("user", "remove", "bob"), fax.json("user", "remove", cid)), ("", None))
    same([u["name"] for u in fax.server.get("/v1/users")["data"]], ["ann"])


@fact
def a_password_is_no_argument():
    fax = shell()
    for words in (("--password", "x"), ("--password=x",)):
        within("there is no option --password", fax.refused("user", "add", "bob", "--role", "sender", *words))
    within("comes from one place", fax.refused("user", "password", "bob", "--password-file", "-", "--ask-password"))
    within("no password in the first line", fax.refused("user", "add", "bob", "--password-file", "-", input="\nx"))
    within("cannot read /no/such: No such file", fax.refused("user", "add", "bob", "--password-file", "/no/such"))
    same(fax.server.get("/v1/users")["data"], [])


def at_terminal(fax, words, answers):
    """Run with a terminal of its own, and type `answers` at its prompts. Exit status, and all that was seen there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(os.path.join(BUILD, "fax"), ["fax", "--server", f"http://127.0.0.1:{fax.server.port}", "--state",
                                              fax.server.state, *words])
    seen = b""
    try:
        for answer in (*answers, None):
            while answer is None or not seen.endswith(b": "):
                if not select.select([terminal], [], [], PATIENCE_S)[0]:
                    raise AssertionError(f"it says no more: {seen!r}")
                piece = os.read(terminal, 4096)
                if not piece:
                    break
                seen += piece
            if answer is not None:
                seen += b"|"
                os.write(terminal, answer.encode() + b"\n")
    except OSError:
        pass  # it has ended
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()


@fact
def a_person_types_a_password_twice_and_unseen():
    fax = shell()
    fax.text("user", "add", "bob", "--role", "sender", "--disabled")
    code, seen = at_terminal(fax, ["user", "password", "bob"], [PASSWORD, "correct horse"])
    same((code, PASSWORD in seen), (1, False))
    within("two different passwords", seen)
    code, seen = at_terminal(fax, ["user", "password", "bob"], [PASSWORD, PASSWORD])
    same((code, PASSWORD in seen), (0, False))
    fax.text("user", "enable", "bob")
    same(fax.server.ask("POST", "/v1/session", {"name": "bob", "password": PASSWORD}).status, 200)


@fact
def contacts_and_groups_are_kept():
    fax = shell()
    friends = fax.text("group", "add", "friends").strip()
    same(fax.json("group", "add", "others")["name"], "others")
    bob = fax.text("contact", "add", "Bob", "+12025550100", "--group", "friends", "--organization", "Smith & Co").strip()
    ann = fax.json("contact", "add", "Ann", "1002", "--email", "ann@example.com", "--group", friends, "--group", "others")
    same([len(ann["groups"]), ann["groups"][0]], [2, friends])
    same([(g["name"], g["members"]) for g in fax.json("group", "list")], [("friends", 2), ("others", 1)])
    within("friends", fax.text("group", "list"))
    same(fax.json("group", "show", "friends")["id"], friends)
    within("Members      2", fax.text("group", "show", friends))
    same(fax.text("group", "change", "others", "--name", "the rest"), "")
    same(fax.json("group", "change", "the rest", "--name", "rest")["name"], "rest")
    same([c["name"] for c in fax.json("contact", "list", "--group", "rest")], ["Ann"])
    same(rows(fax.text("contact", "list", "-q", "smi"))[1:], [[bob, "Bob", "Smith & Co", "+12025550100"]])
    within("Organization Smith & Co", fax.text("contact", "show", "Bob"))
    same(fax.json("contact", "show", bob)["name"], "Bob")
    same(fax.text("contact", "change", "Bob", "--organization", "", "--notes", "Mondays"), "")
    changed = fax.json("contact", "change", bob, "--name", "Rob", "--group", "rest")
    same((changed["name"], changed["organization"], changed["notes"], len(changed["groups"])), ("Rob", None, "Mondays", 1))
    table = fax.text("contact", "export")
    same([row["name"] for row in csv.DictReader(io.StringIO(table))], ["Ann", "Rob"])
    path = os.path.join(fax.server.folder, "contacts.csv")
    same(fax.text("contact", "export", "--group", "rest", "-o", path, "--json"), "")
    with open(path, encoding="utf-8") as file:
        same(sorted(file), sorted(table.splitlines(keepends=True)))
    same(fax.text("contact", "remove", "Ann", "Rob"), "")
    same(fax.json("contact", "remove", fax.text("contact", "add", "x", "1").strip()), None)
    same(fax.text("contact", "import", path), "2 added, 0 changed, 0 groups made\n")
    same(fax.json("contact", "import", "-", input="name,number,groups\nAnn,1002,new\n"),
         {"created": 0, "updated": 1, "groups_created": 1})
    err = fax.refused("contact", "import", "-", input="name,number\nA,1\nB,what\nC,\n", status=3)
    same([line.split(":")[0].strip() for line in err.splitlines()[1:]], ["/lines/3/number", "/lines/4/number"])
    same((fax.text("group", "remove", "rest", "friends"), fax.json("group", "remove", "new")), ("", None))


@fact
def a_name_has_to_be_that_of_one_thing():
    fax = shell()
    for number in ("1", "2"):
        fax.text("contact", "add", "Bob", number)
    within("more than one contact is called Bob: say its id", fax.refused("contact", "show", "Bob"))
    within("there is no contact called Bo", fax.refused("contact", "remove", "Bo"))
    within("there is no group called friends", fax.refused("contact", "add", "Ann", "3", "--group", "friends"))
    within("nothing to change", fax.refused("contact", "change", "Bob"))
    same(len(fax.json("contact", "list")), 2)


@fact
def identities_rules_and_blocks_are_kept():
    fax = shell(FAST_RETRIES + exchange(lines=(("1001", "groups = {isdn}"), "1002")))
    sales = fax.text("identity", "add", "Sales", "--number", "+12025550123", "--station-id", "+1 202 555", "--header",
                     "Sales", "--time-zone", "Europe/Berlin").strip()
    same(fax.json("identity", "add", "Office", "--default", "yes")["default"], True)
    same([i["name"] for i in fax.json("identity", "list")], ["Sales", "Office"])
    within("Europe/Berlin", fax.text("identity", "list"))
    within("Header       Sales", fax.text("identity", "show", "Sales"))
    same(fax.json("identity", "show", sales)["id"], sales)
    same(fax.text("identity", "change", "Sales", "--header", "", "--default", "no"), "")
    same(fax.json("identity", "change", "Sales", "--name", "Shop")["header_text"], None)
    within("--default wants yes or no", fax.refused("identity", "change", "Shop", "--default", "maybe"))
    same((fax.text("identity", "remove", "Shop"), fax.json("identity", "remove", "Office")), ("", None))

    evening = fax.text("rule", "add", "--prefix", "+1900", "--group", "isdn", "--from", "18:00", "--to", "08:00", "--day",
                       "1,2,3", "--time-zone", "Europe/Berlin").strip()
    second = fax.json("rule", "add", "--group", "isdn", "--name", "all", "--position", "1")
    same((second["position"], second["prefix"]), (1, ""))
    same([r["id"] for r in fax.json("rule", "list")], [second["id"], evening])
    within("18:00-08:00 1, 2, 3 Europe/Berlin", fax.text("rule", "list"))
    within("Prefix       +1900", fax.text("rule", "show", evening))
    same(fax.json("rule", "show", evening)["window"]["days"], [1, 2, 3])
    same(fax.text("rule", "change", evening, "--any-time", "--enabled", "no"), "")
    same([fax.json("rule", "change", evening, "--prefix", "")[key] for key in ("window", "enabled", "prefix")],
         [None, False, ""])
    out = fax.text("rule", "test", "+12025550100")
    within("+12025550100 can be called\n  by the rule " + second["id"], out)
    within("isdn has a line for it", out)
    same(fax.json("rule", "test", "+12025550100")["rule"]["id"], second["id"])
    within("/window: to", fax.refused("rule", "change", evening, "--from", "18:00"))
    same((fax.text("rule", "remove", evening), fax.json("rule", "remove", second["id"])), ("", None))

    block = fax.text("block", "add", "+1900", "--direction", "outbound", "--kind", "prefix", "--reason", "dear").strip()
    same(fax.json("block", "add", "--direction", "inbound", "--kind", "anonymous")["kind"], "anonymous")
    same(len(fax.json("block", "list")), 2)
    same(rows(fax.text("block", "list", "--direction", "outbound"))[1][:6],
         [block, "outbound", "deny", "prefix", "+1900", "dear"])
    within("Reason       dear", fax.text("block", "show", block))
    same(fax.json("block", "show", block)["hits"], 0)
    within("cannot be called", fax.text("rule", "test", "+19001"))
    same(fax.text("block", "change", block, "--expires", "2099-01-01T00:00:00Z"), "")
    same(fax.json("block", "change", block, "--action", "allow")["action"], "allow")
    within("/kind", fax.refused("block", "add", "1", "--direction", "outbound"))
    anonymous = [b["id"] for b in fax.json("block", "list", "--direction", "inbound")]
    same((fax.text("block", "remove", block), fax.json("block", "remove", *anonymous)), ("", None))


@fact
def inbound_rules_are_kept_and_their_deliveries_seen_to():
    fax = shell(FAST_RETRIES + exchange())
    fax.server.ask("POST", "/v1/users", {"name": "ann", "role": "sender", "password": PASSWORD})
    ann = fax.text("route", "add", "--name", "Ann", "--did", "1002", "--pages-max", "3", "--since", "00:00", "--until",
                   "00:00", "--day", "1,2,3,4,5,6,7", "--then", "continue", "--user", "ann", "--label", "a", "--label",
                   "b").strip()
    hook = fax.json("route", "add", "--anonymous", "no", "--webhook", "http://127.0.0.1:1/x", "--print", "office",
                    "--print-server", "127.0.0.1:1", "--format", "tiff")
    same([(m["type"], m["format"]) for m in hook["methods"]], [("webhook", "tiff"), ("print", "tiff")])
    within("secret: whsec_", fax.text("route", "add", "--webhook", "http://127.0.0.1:1/y"))
    within("/methods/0/folder", fax.refused("route", "add", "--folder", "/srv", "--file-name", "{id}"))
    within("/methods/0/argv/0", fax.refused("route", "add", "--command", "/bin/true", "--command", "{file}"))
    within("/methods/0/type", fax.refused("route", "add", "--mail", "a@example.com"))
    within("no list in JSON", fax.refused("route", "add", "--methods", "{"))
    within("no user called bob", fax.refused("route", "add", "--user", "bob"))
    same([r["id"] for r in fax.json("route", "list")][:2], [ann, hook["id"]])
    listed = fax.text("route", "list")
    for part in ("did 1002", "pages_max 3", "webhook http://127.0.0.1:1/x, print office", "continue"):
        within(part, listed)
    within("From config  no", fax.text("route", "show", ann))
    same(fax.json("route", "show", ann)["methods"][0]["labels"], ["a", "b"])
    same(fax.text("route", "move", hook["id"], "1"), "")
    same(fax.json("route", "move", hook["id"], "3")["position"], 3)
    within("no position", fax.refused("route", "move", ann, "first"))
    out = fax.text("route", "test", "--did", "1003", "--from", "1001", "--pages", "2", "--outcome", "received")
    for part in ("It would be routing.", f"not: {ann} Ann: The number called is 1003, not 1002.", "webhook http://127.0.0.1:1"):
        within(part, out)
    same(fax.json("route", "test", "--did", "1002")["rules"][0]["matches"], True)
    for rule in fax.json("route", "list")[1:]:
        fax.text("route", "remove", rule["id"])
    same(fax.text("route", "change", ann, "--methods", '[{"type": "webhook", "url": "http://127.0.0.1:1/x"}]'), "")
    same(fax.server.wait_state(fax.server.send("1002"))["status"], "delivered")
    got = wait_for(lambda: [f["id"] for f in fax.server.inbound("1002") if f["status"] == "routing"], "a fax that waits")[0]
    one = wait_for(lambda: (d := fax.json("route", "deliveries", got)[0])["status"] == "waiting" and d["tries"] and d, "a try")
    within(one["id"], fax.text("route", "deliveries", got))
    same(fax.text("route", "retry", got, one["id"]), "waiting\n")
    wait_for(lambda: fax.json("route", "deliveries", got)[0]["status"] == "waiting", "another try")
    same(fax.json("route", "retry", got, one["id"])["id"], one["id"])
    same(fax.json("route", "change", ann, "--did", "1003")["match"]["did"], "1003")
    same(fax.text("route", "again", got), "received\n")
    same(fax.json("route", "again", got)["status"], "received")
    same(fax.json("route", "remove", ann), None)


@fact
def keys_may_do_what_they_were_given():
    fax = shell()
    fax.text("user", "add", "bob", "--role", "sender")
    token = fax.text("key", "create", "--name", "crm", "--scopes", "fax:send,fax:read", "--user", "bob", "--expires",
                     "2099-01-01T00:00:00Z").strip()
    same(fax.server.ask("GET", "/v1/faxes", key=token).status, 200)
    made = fax.json("key", "create", "--name", "t", "--scopes", "fax:read", "--test", "--per-minute", "100", "--allow-from",
                    "10.0.0.0/8,127.0.0.1")
    same((made["test"], made["allow_from"], made["per_minute"]), (True, ["10.0.0.0/8", "127.0.0.1"], 100))
    key = [k for k in fax.json("key", "list") if k["name"] == "crm"][0]
    same((key["scopes"], key["user"]), (["fax:send", "fax:read"], fax.json("user", "show", "bob")["id"]))
    within("fax:send, fax:read", fax.text("key", "list"))
    within("Expires      2099-01-01", fax.text("key", "show", "crm"))
    same(fax.json("key", "show", key["id"])["name"], "crm")
    same(fax.text("key", "change", "crm", "--scopes", "fax:read", "--allow-from", "127.0.0.1"), "")
    changed = fax.json("key", "change", "crm", "--expires", "", "--allow-from", "", "--per-minute", "500")
    same([changed[member] for member in ("scopes", "expires_at", "allow_from", "per_minute")], [["fax:read"], None, [], 500])
    fresh = fax.text("key", "rotate", "crm", "--overlap", "0").strip()
    same([fax.server.ask("GET", "/v1/faxes", key=k).status for k in (token, fresh)], [401, 200])
    within("token", fax.json("key", "rotate", made["id"]))
    within("/scopes", fax.refused("key", "create", "--name", "n"))
    same((fax.text("key", "revoke", "crm"), fax.json("key", "revoke", made["id"])), ("", None))
    same(fax.server.ask("GET", "/v1/faxes", key=fresh).status, 401)


@fact
def webhooks_are_told_and_told_again():
    receiver = Receiver()
    try:
        fax = shell()
        hook, secret = fax.text("webhook", "add", receiver.url + "/a", "--event", "fax.delivered").split()
        within("whsec_", secret)
        other = fax.json("webhook", "add", receiver.url + "/b")
        same([h["url"] for h in fax.json("webhook", "list")], [receiver.url + "/a", receiver.url + "/b"])
        within(receiver.url + "/a", fax.text("webhook", "list"))
        within("Events       fax.delivered", fax.text("webhook", "show", hook))
        same(fax.json("webhook", "show", hook)["enabled"], True)
        same((fax.text("webhook", "test", hook), isinstance(fax.json("webhook", "test", hook), dict)), ("", True))
        wait_for(lambda: len(receiver.events("/a")) == 2, "two events for a test")
        wait_for(lambda: all(d["status"] == "delivered" for d in fax.json("webhook", "deliveries", hook)), "deliveries")
        sent = fax.json("webhook", "deliveries", hook, "--limit", "1")
        same([row[0] for row in rows(fax.text("webhook", "deliveries", hook, "-n", "1"))], ["ID", sent[0]["id"]])
        same(len(fax.json("webhook", "deliveries", hook, "--all")), 2)
        same((fax.text("webhook", "replay", hook, sent[0]["id"]),
              isinstance(fax.json("webhook", "replay", hook, sent[0]["id"]), dict)), ("", True))
        wait_for(lambda: len(receiver.events("/a")) == 4, "both again")
        same(fax.text("webhook", "change", hook, "--url", receiver.url + "/c"), "")
        same([fax.json("webhook", "change", hook, "--event", "fax.failed", "--event", "fax.canceled")[key]
              for key in ("url", "events")], [receiver.url + "/c", ["fax.failed", "fax.canceled"]])
        same(fax.text("webhook", "disable", hook), "")
        same(fax.json("webhook", "disable", hook)["enabled"], False)
        same(fax.text("webhook", "enable", hook), "")
        same(fax.json("webhook", "enable", hook)["enabled"], True)
        again = fax.text("webhook", "rotate", hook).split()
        same((again[0], again[1] != secret), (hook, True))
        within("secret", fax.json("webhook", "rotate", hook))
        same((fax.text("webhook", "remove", hook), fax.json("webhook", "remove", other["id"])), ("", None))
    finally:
        receiver.close()


@fact
def faxes_are_held_changed_and_found():
    fax = shell()
    first = fax.text("send", "--to", "1002", "--hold", PAGES[0]).strip()
    second = fax.json("send", "--to", "1003", "--hold", "--tag", "a", PAGES[0])["id"]
    for name in (first, second):
        fax.server.wait_state(name, "held")
    same(fax.text("change", first, "--priority", "high", "--reference", "case 7", "--tag", "b", "--tag", "c"), "")
    changed = fax.json("change", first, "--tag", "", "--not-before", "2099-01-01T00:00:00Z")
    same((changed["priority"], changed["client_reference"], changed["tags"], changed["not_before"][:4]),
         ("high", "case 7", [], "2099"))
    same(fax.json("change", first, "--not-before", "")["not_before"], None)
    same([f["id"] for f in fax.json("list", "--q", "case")], [first])
    within(second, fax.text("list", "--tag", "a", "--since", "2020-01-01T00:00:00Z"))
    same(fax.json("list", "--until", "2020-01-01T00:00:00Z"), [])
    within("held", fax.text("show", first))
    same(fax.json("show", second)["fax"]["id"], second)
    within("held", fax.text("hold", first))
    same(fax.json("hold", first)["status"], "held")
    within(first, fax.text("release", first))
    fax.server.wait_state(first)
    fax.text("watch", first)
    same(fax.json("watch", first)["status"], "delivered")
    same(fax.json("release", second)["id"], second)
    fax.server.wait_state(second)
    within("DIS", fax.text("trace", first))
    within("DIS", [f["name"] for f in fax.json("trace", first, "1")["frames"]])
    same(rows(fax.text("event", "list", first))[1][1], "fax.accepted")
    within("fax.delivered", [e["type"] for e in fax.json("event", "list", "--all")])
    within("/v1/links/", fax.text("link", first, "--original", "--expires", "60"))
    within("expires_at", fax.json("link", first, "--format", "tiff"))
    path = os.path.join(fax.server.folder, "a")
    same((fax.text("get", first, "-o", path), fax.json("get", first, "--receipt", "-o", path)), ("", None))
    within("1 pages", fax.text("preview", PAGES[0]))
    same(fax.json("preview", "-o", path, PAGES[0])["page_count"], 1)
    same(octets(path)[:5], b"%PDF-")
    third = fax.text("resend", first, "--to", "1003").strip()
    fourth = fax.json("resend", first)["id"]
    fifth = fax.text("forward", first, "--to", "1004", "--note", "look").strip()
    sixth = fax.json("forward", first, "--to", "1004")["id"]
    for name in (third, fourth, fifth, sixth):
        same(fax.server.wait_state(name)["status"], "delivered")
    held = [fax.text("send", "--to", "1002", "--hold", PAGES[0]).strip() for _ in range(2)]
    within("cancel", fax.text("cancel", held[0]))
    same(fax.json("cancel", held[1])["id"], held[1])
    for name in held:
        fax.server.wait_state(name, "canceled")
    within("is called again", fax.text("retry", held[0]))
    same(fax.json("retry", held[1])["id"], held[1])
    for name in held:
        fax.server.wait_state(name, "delivered")
    within("documents deleted", fax.text("purge", held[0]))
    same(fax.json("purge", held[1], "--record"), None)


@fact
def lists_go_on_for_as_long_as_is_wanted():
    fax = shell()
    table = "name,number\n" + "".join(f"Contact {n:03},{n}\n" for n in range(250))
    fax.text("contact", "import", "-", input=table)
    names = [f"Contact {n:03}" for n in range(250)]
    for words, count in (((), 50), (("--limit", "7"), 7), (("-n", "230"), 230), (("--all",), 250), (("-n", "900"), 250)):
        same((words, [c["name"] for c in fax.json("contact", "list", *words)]), (words, names[:count]))
        same((words, len(rows(fax.text("contact", "list", *words)))), (words, 1 + count))
    for wrong in ("0", "x", "-1", "1000001"):
        within("--limit wants a number", fax.refused("contact", "list", "--limit", wrong))


@fact
def batches_and_the_inbox_are_worked_on():
    fax = shell()
    fax.text("user", "add", "bob", "--role", "sender")
    path = os.path.join(fax.server.folder, "batch.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"recipients": [{"to": "1002"}, {"to": "1003"}], "documents": [{"text": "hello"}]}, file)
    batch = fax.text("batch", "send", path).strip()
    held = {"recipients": [{"to": "1002"}], "documents": [{"text": "hello"}], "hold": True}
    others = [fax.json("batch", "send", "-", input=json.dumps(held))["id"] for _ in range(2)]
    same({b["id"] for b in fax.json("batch", "list")}, {batch, *others})
    within(batch, fax.text("batch", "list"))
    wait_for(lambda: fax.json("batch", "show", batch)["status"] == "done", "the batch")
    within("delivered 2", fax.text("batch", "show", batch))
    same(len(fax.json("list", "--batch", batch)), 2)
    same((fax.text("batch", "cancel", others[0]), fax.json("batch", "cancel", others[1])["status"]), ("canceled\n", "canceled"))
    within("done", fax.refused("batch", "cancel", batch))
    within("line 1", fax.refused("batch", "send", "-", input="{"))

    name = fax.server.settled_inbound(2)[0]["id"]
    same(len(fax.json("inbox", "list")), 2)
    within(name, fax.text("inbox", "list", "--unread"))
    for verb, back, member in (("read", "unread", "unread"), ("junk", "unjunk", "junk")):
        same((fax.text("inbox", verb, name), fax.text("inbox", back, name)), ("", ""))
        same(fax.json("inbox", verb, name)[member] != fax.json("inbox", back, name)[member], True)
    same(fax.text("inbox", "assign", name, "bob"), "")
    same([f["id"] for f in fax.json("inbox", "list", "--assigned", "bob")], [name])
    same(fax.json("inbox", "assign", name, "none")["assigned"], None)
    same(fax.text("inbox", "label", name, "a", "b"), "")
    same(fax.json("inbox", "label", name)["labels"], [])
    same(fax.text("inbox", "note", name, "seen"), "")
    same(fax.json("inbox", "note", name, "really")["text"], "really")
    same([n["text"] for n in fax.json("inbox", "notes", name)], ["seen", "really"])
    within("seen", fax.text("inbox", "notes", name))


@fact
def reports_the_audit_log_and_the_system_are_shown():
    fax = shell(FAST_RETRIES + exchange() + SIMULATOR)
    fax.server.wait_state(fax.server.send("1002"))
    usage = ("report", "usage", "--group-by", "destination")
    wait_for(lambda: [r for r in fax.json(*usage)["data"] if r["delivered"] == 1], "the report")
    same([row[0] for row in rows(fax.text(*usage))], ["KEY", fax.json(*usage)["data"][0]["key"]])
    same([row["delivered"] for row in csv.DictReader(io.StringIO(fax.text(*usage, "--csv")))], ["1"])
    same(fax.json(*usage, "--to", "2020-01-01T00:00:00Z")["data"], [])
    within("?group_by", fax.refused("report", "usage", "-g", "moon"))

    fax.text("group", "add", "a")
    same(fax.json("audit", "list", "--limit", "1")[0]["action"], "group.created")
    within("group.created", fax.text("audit", "list", "--action", "group.*"))
    within("in order: ", fax.text("audit", "verify"))
    same(fax.json("audit", "verify")["ok"], True)
    table = list(csv.DictReader(io.StringIO(fax.text("audit", "export"))))
    same({row["action"] for row in table} >= {"group.created", "server.started"}, True)
    path = os.path.join(fax.server.folder, "audit.csv")
    same(fax.text("audit", "export", "--action", "group.created", "-o", path, "--json"), "")
    with open(path, encoding="utf-8") as file:
        same([row["action"] for row in csv.DictReader(file)], ["group.created"])

    within("Lines        idle 6", fax.text("dashboard"))
    same(fax.json("dashboard")["lines"]["total"], 6)
    within("Version      ", fax.text("system"))
    within("Version      ", fax.text("system", "show"))
    same((fax.json("system")["counts"]["faxes_outbound"], fax.json("system", "show")["counts"]["faxes_outbound"]), (1, 1))
    within("ready listen=", fax.text("system", "log"))
    same(len(fax.json("system", "log", "-n", "2")["data"]), 2)
    same((fax.text("health").splitlines()[0], fax.json("health")["status"]), ("ok", "ok"))
    same(rows(fax.text("provider", "list"))[1][0], "exchange")
    same([p["name"] for p in fax.json("provider", "list")], ["exchange", "sim"])
    key = os.path.join(fax.server.folder, "test.key")
    with open(key, "w", encoding="ascii") as file:
        file.write(fax.text("key", "create", "--name", "t", "--scopes", "fax:send", "--test"))
    words = ("simulate", "--from", "+12025550123", "--pages", "2", "--key-file", key, "--to")
    same((fax.text(*words, "+12025550198"), fax.json(*words, "+12025550197")["line"]), ("a fax comes in on sim/1\n", "sim/2"))


@fact
def cover_pages_are_made_of_templates():
    fax = shell()
    within("plain", fax.text("cover", "list"))
    within("plain", [c["name"] for c in fax.json("cover", "list")])
    template = fax.text("cover", "print", "plain")
    same(fax.json("cover", "print", "plain")["template"], template)
    path = os.path.join(fax.server.folder, "cover")
    with open(path, "w", encoding="utf-8") as file:
        file.write(template)
    same(fax.text("cover", "add", "ours", path), "")
    same(fax.json("cover", "add", "theirs", "-", input=template)["name"], "theirs")
    within("Name         ours", fax.text("cover", "show", "ours"))
    same(fax.json("cover", "show", "ours")["size"], len(template.encode()))
    same(fax.text("cover", "change", "ours", path), "")
    same(fax.json("cover", "change", "ours", path)["name"], "ours")
    within("/template", fax.refused("cover", "add", "empty", "-", input=""))
    within("no text in UTF-8", fax.refused("cover", "change", "ours", PAGES[0]))
    same((fax.text("cover", "remove", "ours"), fax.json("cover", "remove", "theirs")), ("", None))


@fact
def lines_trunks_and_destinations_are_looked_after():
    with Script() as script:
        tested = dict(PBX, trunks=[dict(PBX["trunks"][0], last_test=TESTED)],
                      devices=[dict(PBX["devices"][0], last_test={"at_ms": 1795222800000, "ok": True, "report": "all well"})])
        script.write("trunks", PBX)
        script.write("trunks.tested", tested)
        script.write("5551", {"mode": "audio", "codec": "PCMU", "trunk": "main", "final_confirmed": True})
        fax = shell(FAST_RETRIES + script.provider())
        same([rows(fax.text(*words))[0][0] for words in (("lines",), ("line", "list"), ("trunk", "list"))],
             ["LINE", "LINE", "TRUNK"])
        same([len(fax.json(*words)) for words in (("lines",), ("line", "list"), ("trunk", "list"))], [2, 2, 1])
        within("Model        a model", fax.text("line", "show", "pbx/1"))
        same(fax.json("line", "show", "2")["id"], "pbx/2")
        same(fax.text("line", "change", "2", "--send", "no", "--receive", "yes"), "")
        same(fax.json("line", "change", "pbx/2", "--send", "yes")["send_enabled"], True)
        same((fax.text("trunk", "test", "main"), fax.json("trunk", "show", "main")["last_test"]["rtt_ms"]),
             ("pbx/main: ok 200 OK, 3 ms\n", 3))
        within("Last test    ok 200", fax.text("trunk", "show", "pbx/main"))
        script.write("trunks.tested", dict(tested, trunks=[dict(PBX["trunks"][0], last_test=dict(TESTED, at_ms=1795222801000))],
                                           devices=[dict(PBX["devices"][0], last_test={"at_ms": 1795222801000, "ok": True,
                                                                                       "report": "as well"})]))
        same(fax.json("trunk", "test", "main")["last_test"]["ok"], True)
        same(fax.server.wait_state(fax.server.send("5551"))["status"], "delivered")
        same(rows(fax.text("destination", "list"))[1][0], "5551")
        same(fax.json("destination", "list")[0]["number"], "5551")
        same(fax.text("destination", "suspend", "5551", "--reason", "asked us to stop"), "")
        within("Suspension   asked us to stop", fax.text("destination", "show", "5551"))
        same(fax.json("destination", "suspend", "5551")["suspended"] is not None, True)
        same((fax.text("destination", "resume", "5551"), fax.json("destination", "resume", "5551")["suspended"]), ("", None))
        same(fax.text("destination", "change", "5551", "--transport", "t38"), "")
        same(fax.json("destination", "change", "5551", "--transport", "g711")["forced_transport"], "g711")
        same(fax.json("destination", "show", "5551")["forced_transport"], "g711")
        fax.text("destination", "suspend", "5552")
        same((fax.text("destination", "forget", "5551"), fax.json("destination", "forget", "5552")), ("", None))
        same(fax.json("destination", "list"), [])


@fact
def exit_statuses_are_those_of_the_class_of_failure():
    fax = shell()
    for words in (("user", "show", "usr_NONE"), ("contact", "add", "x"), ("group",), ("dance",), ("user", "dance"),
                  ("user", "add", "a", "b"), ("list", "--dance"), ("user", "add", "UPPER CASE", "--role", "king")):
        same((words, fax.run(*words)[0:2]), (words, (1, "")))
    err = fax.refused("user", "add", "UPPER CASE", "--role", "king")
    same([line.split(":")[0].strip() for line in err.splitlines()[1:]], ["/name", "/role"])
    same(fax.run("contact", "list", "--server", "http://127.0.0.1:9")[0:2], (8, ""))
    same(fax.run("contact", "list", "--server", "http://127.0.0.1:9", "--json")[0:2], (8, ""))
    same(fax.run("contact", "list", "--key-file", "/no/such")[0:2], (1, ""))
    within("there is no option --dance", fax.refused("user", "list", "--dance"))
    within("--limit needs a value", fax.refused("user", "list", "--limit"))
    within("--all takes no value", fax.refused("user", "list", "--all=1").replace("--all=1", "--all"))
    within("there is no option -x", fax.refused("user", "list", "-x"))


@fact
def tables_are_aligned_as_a_terminal_shows_them():
    fax = shell()
    names = ["Müller", "山田太郎", "e\u0301te\u0301", "plain"]
    for number, name in enumerate(names):
        fax.text("contact", "add", name, str(number))
    wide = {"山": 2, "田": 2, "太": 2, "郎": 2, "\u0301": 0}
    columns = set()
    for line in fax.text("contact", "list").splitlines()[1:]:
        before, number = line.rstrip().rsplit(" ", 1)
        columns.add(sum(wide.get(c, 1) for c in before))
    same(len(columns), 1)


@fact
def what_strangers_say_is_no_control_of_a_terminal():
    with Script() as script:
        script.write("trunks", dict(PBX, trunks=[dict(PBX["trunks"][0], reason="a\u202eb\u001b[2Jc")]))
        fax = shell(FAST_RETRIES + script.provider())
        for words in (("trunk", "list"), ("trunk", "show", "main")):
            within("a\\u{202e}b\\x1b[2Jc", fax.text(*words))
            same("\u001b" in json.dumps(fax.run(*words, "--json")[1], ensure_ascii=False), False)
        err = fax.refused("group", "show", "x\u001b[2Jy")
        same("\u001b" in err, False)
        within("x\\x1b[2Jy", err)


# Whose modem is real enough for it is in test_modems.py, and rules of received faxes are in the tests of routes.
ELSEWHERE = {"line test"}
ELSEWHERE_GROUPS = {"route"}


@fact
def every_command_was_tried_for_people_and_for_programs():
    """It judges the facts above, so it holds only behind all of them."""
    wanted = {(name, form) for name in all_commands() for form in (False, True)
              if name not in ELSEWHERE and name.split()[0] not in ELSEWHERE_GROUPS}
    same(sorted(wanted - Shell.called), [])


if __name__ == "__main__":
    sys.exit(main())
