#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Encryption at rest: what lies on the disk at rest and in mid-call, restarts, keys that are missing, rotation, crashes.
Prints TAP."""
import base64
import glob
import hashlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faxd  # noqa: E402
from faxd import (BUILD, FAST_RETRIES, PAGES, exchange, fact, joined, main, pixels, same,  # noqa: E402
                  started, wait_for, within)

MEMORY = "/dev/shm"
MAGIC = b"\x8efaxd\r\n\x1a"
TIFF = (b"II*\0", b"MM\0*")
PLAIN = FAST_RETRIES + "page { header = false }\n"  # a header line would change the dots


def in_memory(path):
    """Is the folder on a tmpfs?"""
    done = subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True, text=True, check=False)
    return done.stdout.strip() in ("tmpfs", "ramfs")


class Safe:
    """A key file, and a folder in memory for calls."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="faxd-keys-")
        self.calls = tempfile.mkdtemp(prefix="faxd-calls-", dir=MEMORY)
        self.keys = os.path.join(self.folder, "keys")
        self.make_key()

    def make_key(self):
        subprocess.run([os.path.join(BUILD, "faxd"), "--make-key", self.keys], check=True, stdout=subprocess.DEVNULL)

    def lines(self):
        with open(self.keys, encoding="ascii") as file:
            return file.read().split()

    def keep(self, *lines):
        with open(self.keys, "w", encoding="ascii") as file:
            file.write("".join(line + "\n" for line in lines))

    def config(self, rest=None, enabled=True):
        return (f'encryption {{ key_file = "{self.keys}" call_dir = "{self.calls}" '
                f'enabled = {str(enabled).lower()} }}\n' + PLAIN + (exchange() if rest is None else rest))

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.calls, ignore_errors=True)


safes = []


def safe():
    safes.append(Safe())
    return safes[-1]


def files_below(folder):
    return [os.path.join(path, name) for path, _, names in os.walk(folder) for name in names]


def octets(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:  # a socket, or gone meanwhile
        return b""


def samples(*documents):
    """Slices of the documents that are in nothing else: 24 octets that are not all alike, a hundred of each."""
    found = set()
    for document in documents:
        places = random.Random(1).sample(range(8, len(document) - 24), len(document) - 32)
        pieces = (document[at:at + 24] for at in places)
        mine = set(itertools.islice((piece for piece in pieces if len(set(piece)) > 8), 100))
        same(len(mine) > 50, True)
        found |= mine
    return found


def strips(document):
    """The dots of a TIFF file as they lie in memory, unpacked: what a page is however it is coded."""
    with tempfile.TemporaryDirectory() as folder:
        given, raw = os.path.join(folder, "a.tif"), os.path.join(folder, "b.tif")
        with open(given, "wb") as file:
            file.write(document)
        subprocess.run(["tiffcp", "-c", "none", given, raw], check=True, stderr=subprocess.DEVNULL)
        return octets(raw)


def plain_files(server, pieces=()):
    """Files of the state folder that hold a TIFF or any of the pieces."""
    found = []
    for path in files_below(server.state):
        content = octets(path)
        if content.startswith(TIFF) or any(magic in content for magic in TIFF) or any(p in content for p in pieces):
            found.append(os.path.relpath(path, server.state))
    return found


def documents(server):
    return glob.glob(os.path.join(server.state, "documents/[0-9a-f][0-9a-f]/*"))


def refused_start(server):
    """What faxd says when it does not start."""
    done = subprocess.run([os.path.join(BUILD, "faxd"), "--state", server.state, "--listen", "127.0.0.1:0", "--config",
                           server.config], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "FAXD_TEST": server.mark})
    same((done.returncode, "ready" in done.stdout), (1, False))
    return done.stderr


def rotated(server):
    """faxd --rotate-documents: the three numbers it prints, and its status."""
    done = subprocess.run([os.path.join(BUILD, "faxd"), "--state", server.state, "--config", server.config,
                           "--rotate-documents"], capture_output=True, text=True, timeout=60, check=False)
    return [int(word) for word in done.stdout.replace(",", "").split() if word.isdigit()] + [done.returncode]


def damage(path):
    content = bytearray(octets(path))
    content[len(content) // 2] ^= 1
    with open(path, "wb") as file:
        file.write(content)


def call_files(safe_one):
    return [path for path in files_below(safe_one.calls) if path.endswith(".tif")]


@fact
def a_page_goes_through_bit_exact_and_nothing_of_it_is_on_the_disk():
    keys = safe()
    server = started(keys.config())
    for path in PAGES[:2]:
        same(server.wait_state(server.send("1002", path))["status"], "delivered")
    received = server.settled_inbound(2)
    same([pixels(server.document(f["id"])) for f in received], [pixels(p) for p in PAGES[:2]])
    pieces = samples(*[octets(p) for p in PAGES[:2]], *[server.document(f["id"]) for f in received])
    pieces |= samples(*[strips(octets(p)) for p in PAGES[:2]])
    same((plain_files(server, pieces), call_files(keys)), ([], []))
    same([octets(path)[:8] for path in documents(server)], [MAGIC] * len(documents(server)))
    same(len(documents(server)) >= 4, True)
    for kind, begin in (("document", b"%PDF"), ("pages/1?w=200", b"\x89PNG"), ("thumbnail", b"\x89PNG")):
        reply = server.ask("GET", f"/v1/faxes/{received[0]['id']}/{kind}")
        same((kind, reply.status, reply.body[:4]), (kind, 200, begin))
    same(plain_files(server, pieces), [])


@fact
def nothing_is_on_the_disk_in_mid_call_either():
    keys = safe()
    server = started(keys.config(exchange(pace=3)))
    path = joined(server.folder, *PAGES)
    pieces = samples(octets(path)) | samples(strips(octets(path)))
    fax = server.send("1002", path)
    looks, seen = 0, set()
    end = time.monotonic() + faxd.PATIENCE_S
    while True:
        status = server.fax(fax)["status"]
        seen.add(status)
        for file in call_files(keys):
            pieces |= {octets(file)[at:at + 24] for at in (400, 4000) if len(set(octets(file)[at:at + 24])) > 8}
        same(plain_files(server, pieces), [])
        looks += 1
        if status in faxd.FINAL or time.monotonic() > end:
            break
        time.sleep(0.05)
    same((status, "sending" in seen, looks > 5), ("delivered", True, True))
    same([pixels(server.document(f["id"])) for f in server.settled_inbound(1)], [pixels(path)])
    same(plain_files(server, pieces), [])


@fact
def a_large_upload_is_written_encrypted():
    keys = safe()
    server = started(keys.config())
    random.seed(1)
    path = os.path.join(server.folder, "noise.tif")
    page = octets(PAGES[0])
    noise = random.randbytes(3 << 20)
    with open(path, "wb") as file:  # what follows the last strip belongs to no page
        file.write(page + noise)
    fax = server.send("1002", path)
    same(server.wait_state(fax)["status"], "delivered")
    same(plain_files(server, {noise[at:at + 24] for at in range(0, len(noise), 100000)}), [])
    original = server.ask("GET", f"/v1/faxes/{fax}/document?copy=original&format=tiff").body
    same(original == page + noise, True)


@fact
def the_same_upload_is_stored_once():
    keys = safe()
    server = started(keys.config(exchange(lines=(("1001", "send = false"), ("1002", "send = false")))))
    server.wait_state(server.send("1002"), "queued")
    stored = documents(server)
    for _ in range(2):
        server.wait_state(server.send("1002"), "queued")
    same((documents(server), len(stored) >= 2), (stored, True))


@fact
def a_restart_with_the_key_reads_everything_and_one_without_is_refused():
    keys = safe()
    server = started(keys.config())
    fax = server.send("1002")
    same(server.wait_state(fax)["status"], "delivered")
    page = server.document(fax)
    same(server.end(), 0)
    server.start()
    same(server.document(fax), page)
    same(server.end(), 0)
    ours = keys.lines()
    server.configure(PLAIN + exchange())
    for word in ("encrypted with key", "no key is configured", "section encryption"):
        within(word, refused_start(server))
    keys.keep(base64.b64encode(b"x" * 32).decode())
    server.configure(keys.config())
    for word in ("encrypted with key", "not among those configured", "below the newest", "--rotate-documents"):
        within(word, refused_start(server))
    keys.keep(*ours)
    server.start()
    same(server.document(fax), page)


@fact
def key_files_that_will_not_do_are_told_with_the_way_out():
    keys = safe()
    server = started(keys.config())
    same(server.end(), 0)
    os.chmod(keys.keys, 0o640)
    for word in (keys.keys, "chmod 600"):
        within(word, refused_start(server))
    os.chmod(keys.keys, 0o600)
    ours = keys.lines()
    keys.keep("c2hvcnQ=")
    for word in (keys.keys + ":1", "32 octets", "--make-key"):
        within(word, refused_start(server))
    os.unlink(keys.keys)
    within("cannot open key file " + keys.keys, refused_start(server))
    keys.make_key()
    keys.keep(*ours)
    server.configure(keys.config().replace(keys.calls, server.folder))
    for word in ("call_dir", server.folder, "tmpfs"):
        within(word, refused_start(server))
    server.configure(keys.config())
    server.start()


@fact
def a_credential_of_systemd_serves_as_well():
    keys = safe()
    os.environ["CREDENTIALS_DIRECTORY"] = keys.folder
    try:
        os.chmod(keys.keys, 0o440)
        server = started(keys.config().replace(f'key_file = "{keys.keys}"', 'credential = "keys"'))
        same(server.wait_state(server.send("1002"))["status"], "delivered")
        same((plain_files(server), octets(documents(server)[0])[:8]), ([], MAGIC))
        same(server.end(), 0)
        del os.environ["CREDENTIALS_DIRECTORY"]
        within("LoadCredential=keys", refused_start(server))
    finally:
        os.environ.pop("CREDENTIALS_DIRECTORY", None)


@fact
def rotation_rewrites_everything_and_the_old_key_can_go():
    keys = safe()
    server = started(keys.config())
    fax = server.send("1002")
    same(server.wait_state(fax)["status"], "delivered")
    page, count = server.document(fax), len(documents(server))
    same(rotated(server)[3], 1)  # faxd runs
    same(server.end(), 0)
    keys.make_key()
    new, old = keys.lines()
    if os.geteuid() == 0:
        os.chown(server.state, 65534, -1)
        same(rotated(server), [0, 0, 0, 1])  # its files would be closed to that user
        os.chown(server.state, 0, -1)
    same(rotated(server), [count, count, 0, 0])
    same(rotated(server), [count, 0, 0, 0])
    keys.keep(new)
    server.start()
    same(server.document(fax), page)
    same(server.wait_state(server.send("1003", PAGES[1]))["status"], "delivered")
    same(server.end(), 0)
    keys.keep(old)
    within("encrypted with key", refused_start(server))
    keys.keep(new)


@fact
def a_rotation_that_is_killed_goes_on_where_it_was():
    keys = safe()
    server = started(keys.config(exchange(lines=(("1001", "send = false"), ("1002", "send = false")))))
    faxes = []
    for number in range(30):
        path = os.path.join(server.folder, "one.tif")
        with open(path, "wb") as file:
            file.write(octets(PAGES[number % 4]) + number.to_bytes(2, "big") + bytes(200000))
        faxes.append((server.send("1002", path), octets(path)))
    for fax, _ in faxes:
        server.wait_state(fax, "queued")
    same(server.end(), 0)
    keys.make_key()
    new, old = keys.lines()
    command = [os.path.join(BUILD, "faxd"), "--state", server.state, "--config", server.config, "--rotate-documents"]
    for pause in (0.0, 0.01, 0.02, 0.03, 0.05):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(pause)
            process.kill()
    server.start()  # both keys are there: half rotated is as good
    for fax, content in faxes[:5]:
        same(server.ask("GET", f"/v1/faxes/{fax}/document?copy=original&format=tiff").body == content, True)
    same(server.end(), 0)
    result = rotated(server)
    same((result[0], result[2:]), (len(documents(server)), [0, 0]))
    keys.keep(new)
    server.start()
    for fax, content in faxes:
        same(server.ask("GET", f"/v1/faxes/{fax}/document?copy=original&format=tiff").body == content, True)


@fact
def encryption_is_turned_on_and_off_without_losing_a_document():
    keys = safe()
    server = started(PLAIN + exchange())
    first = server.send("1002")
    same(server.wait_state(first)["status"], "delivered")
    sha = hashlib.sha256(octets(PAGES[0])).hexdigest()
    within(f"documents/{sha[:2]}/{sha}", plain_files(server))  # so it would be found
    same(any(piece in octets(os.path.join(server.state, "documents", sha[:2], sha)) for piece in samples(octets(PAGES[0]))), True)
    same(server.end(), 0)
    server.configure(keys.config())
    server.start()
    second = server.send("1003", PAGES[1])
    same(server.wait_state(second)["status"], "delivered")
    pages = [server.document(first), server.document(second)]
    same(server.wait_state(server.send("1004"))["status"], "delivered")  # its pages are there, and plain
    same(server.end(), 0)
    same((rotated(server)[2:], plain_files(server)), ([0, 0], []))
    server.configure(keys.config(enabled=False))
    server.start()
    same([server.document(first), server.document(second)], pages)
    third = server.send("1004", PAGES[2])
    same(server.wait_state(third)["status"], "delivered")
    same(len(plain_files(server)) > 0, True)
    same(server.end(), 0)
    same(rotated(server)[2:], [0, 0])
    server.configure(PLAIN + exchange())
    server.start()
    same([server.document(first), server.document(second)], pages)


@fact
def a_damaged_document_is_told_and_no_other_is_touched():
    keys = safe()
    server = started(keys.config(exchange(lines=(("1001", "send = false"), ("1002", "send = false")))))
    fax, good = server.send("1002"), server.send("1002", PAGES[1])
    for one in (fax, good):
        server.wait_state(one, "queued")
    before = server.document(good)
    record = server.fax(fax)
    sha = record.get("document_sha256") or record["document"]["sha256"]
    path = os.path.join(server.state, "documents", sha[:2], sha)
    damage(path)
    same(server.ask("GET", f"/v1/faxes/{fax}/document?format=tiff").status, 500)
    within("is damaged", server.log())
    same(server.document(good), before)
    same(server.end(), 0)
    keys.make_key()
    result = rotated(server)
    same((result[2], result[3]), (1, 1))
    new, old = keys.lines()
    keys.keep(new)
    within("encrypted with key", refused_start(server))
    keys.keep(new, old)
    server.start()
    same(server.document(good), before)


@fact
def a_damaged_upload_does_not_hold_up_those_behind_it():
    keys = safe()
    server = started(keys.config())
    server.wait_state(server.send("1002"))
    for pid in server.pids("faxd-convert"):
        os.kill(pid, signal.SIGSTOP)
    first, second = server.send("1003", PAGES[1]), server.send("1004", PAGES[2])
    same([server.fax(fax)["status"] for fax in (first, second)], ["preparing"] * 2)
    server.process.kill()
    server.kill_all()
    server.process.wait()
    server.process.stdout.close()
    with open(PAGES[1], "rb") as file:
        sha = hashlib.sha256(file.read()).hexdigest()
    damage(os.path.join(server.state, "documents", sha[:2], sha))
    server.start()
    same((server.wait_state(first)["status"], server.fax(first)["error"]["code"]), ("failed", "conversion_failed"))
    same(server.wait_state(second)["status"], "delivered")


@fact
def kill_9_of_faxd_in_mid_call_costs_nothing():
    keys = safe()
    server = started(keys.config(exchange(pace=10)))
    fax = server.send("1002")
    server.wait_state(fax, "sending")
    server.kill()
    same(len(call_files(keys)) >= 2, True)
    server.start()
    ended = server.wait_state(fax)
    same((ended["status"], ended["calls"]), ("delivered", 1))
    same([pixels(server.document(f["id"])) for f in server.settled_inbound(1)], [pixels(PAGES[0])])
    wait_for(lambda: not call_files(keys), "the files of the call to go")


def kill_everything(server):
    server.process.kill()
    server.kill_all()
    server.process.wait()
    server.process.stdout.close()
    wait_for(lambda: not server.processes(), "all to be dead")


@fact
def kill_9_of_everything_in_mid_call_is_recovered_by_the_journal():
    keys = safe()
    server = started(keys.config(exchange(pace=10)))
    path = joined(server.folder, *PAGES[:3])
    fax = server.send("1002", path)
    wait_for(lambda: server.fax(fax)["pages"]["confirmed"] >= 1, "a confirmed page")
    kill_everything(server)
    server.configure(keys.config())
    server.start()
    same(server.wait_state(fax)["status"], "delivered")
    got = [pixels(server.document(f["id"])) for f in server.settled_inbound(2)]
    same((got[0] + got[1], len(got[0]) >= 1), (pixels(path), True))


@fact
def a_machine_that_lost_its_memory_says_what_it_lost():
    keys = safe()
    server = started(keys.config(exchange(pace=10)))
    path = joined(server.folder, *PAGES[:3])
    fax = server.send("1002", path)
    wait_for(lambda: server.fax(fax)["pages"]["confirmed"] >= 1, "a confirmed page")
    kill_everything(server)
    shutil.rmtree(keys.calls)
    os.mkdir(keys.calls, 0o700)
    server.configure(keys.config())
    server.start()
    same(server.wait_state(fax)["status"], "delivered")
    lost = server.settled_inbound(2)[0]
    same((lost["status"], lost["error"]["code"]), ("failed", "receive_incomplete"))
    within("is gone with", server.log())


@fact
def the_recipients_of_a_batch_are_in_no_plain_file_and_outlive_a_kill():
    server = started(safe().config())
    recipients = [{"to": f"+4930{n:07}"} for n in range(4000)]
    reply = server.ask("POST", "/v1/batches", {"documents": [faxd.document(octets(PAGES[0]))], "recipients": recipients, "hold": True})
    same(reply.status, 202)

    def held():
        return server.get("/v1/batches/" + reply.json["id"])["counts"].get("held", 0)
    wait_for(lambda: held() > 1000, "some of them")
    lists = [path for path in files_below(server.state) if "faxd.db" not in path and b"+49300" in octets(path)]
    same((lists, held() < 4000), ([], True))
    server.kill()
    server.start()
    wait_for(lambda: held() == 4000, "all of them")
    same(plain_files(server), [])


@fact
def a_call_from_before_encryption_ends_after_it_was_turned_on():
    keys = safe()
    server = started(PLAIN + exchange(pace=10))
    fax = server.send("1002")
    server.wait_state(fax, "sending")
    same(server.end(signal.SIGQUIT), 0)
    server.configure(keys.config(exchange(pace=10)))
    server.start()
    same(server.wait_state(fax)["status"], "delivered")
    same([pixels(server.document(f["id"])) for f in server.settled_inbound(1)], [pixels(PAGES[0])])


@fact
def no_call_is_answered_without_memory_for_its_pages():
    keys = safe()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", keys.calls]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        print("# left out: a small tmpfs cannot be mounted here")
        return
    try:
        server = started(keys.config())
        filler = os.path.join(keys.calls, "filler")
        with open(filler, "wb") as file:
            file.write(bytes(3 << 20))
        fax = server.send("1002", retry={"max_attempts": 50})
        wait_for(lambda: "call rejected" in server.log(), "the call to be rejected")
        within(f"{keys.calls}/calls-", server.log().split("call rejected")[1].splitlines()[0])
        same(server.inbound(), [])
        os.unlink(filler)
        same(server.wait_state(fax)["status"] in ("delivered", "failed"), True)
        same(server.wait_state(server.send("1003"))["status"], "delivered")
        server.stop()
        faxd.running.remove(server)
    finally:
        subprocess.run(["umount", "-l", keys.calls], check=True)


@fact
def a_change_that_has_to_wait_for_a_restart_is_told():
    keys = safe()
    server = started(keys.config())
    server.configure(keys.config(enabled=False))
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "encryption was changed: restart" in server.log(), "the log to tell")
    same(server.wait_state(server.send("1002"))["status"], "delivered")
    same(plain_files(server), [])


@fact
def no_core_file_and_no_temporary_file_can_leak():
    keys = safe()
    server = started(keys.config())
    for pid in server.processes():
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            core = [line.split()[4] for line in file if line.startswith("Max core file size")]
        same((pid, core), (pid, ["0"]))


if __name__ == "__main__":
    if not os.path.isdir(MEMORY) or not in_memory(MEMORY):
        sys.exit(f"{MEMORY} is no tmpfs: mount one there")
    try:
        sys.exit(main())
    finally:
        for one in safes:
            one.close()
