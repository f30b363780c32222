#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The end of faxes: deleted by hand, by age, in spite of kill -9; and what a full disk refuses. Prints TAP."""
import base64
import http.client
import os
import signal
import sqlite3
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, PAGES, Receiver, exchange, fact, main, pixels, same, started, wait_for, within  # noqa: E402

DAY_MS = 24 * 3600 * 1000


def files(server):
    """Names of the documents on the disk."""
    found = []
    for folder, _, names in os.walk(os.path.join(server.state, "documents")):
        if os.path.basename(folder) != "tmp":
            found += names
    return sorted(found)


def rows(server, sql="SELECT sha256 FROM document ORDER BY sha256"):
    store = sqlite3.connect(f"file:{server.state}/faxd.db?mode=ro", uri=True, timeout=30)
    try:
        return [row[0] for row in store.execute(sql)]
    finally:
        store.close()


def ended_days_ago(server, days):
    """While it is stopped: every fax ended so long ago."""
    store = sqlite3.connect(server.state + "/faxd.db")
    with store:
        store.execute("UPDATE fax SET ended_at = ended_at - ? WHERE ended_at > 0", (days * DAY_MS,))
    store.close()


def purge(server, fax, query="", key=None):
    return server.ask("DELETE", f"/v1/faxes/{fax}{query}", key=key)


def answers(server, fax):
    """Status and code of everything that shows pages; a received fax has no upload."""
    found = set()
    paths = ["document", "document?format=tiff", "pages/1", "thumbnail"]
    if server.fax(fax)["direction"] == "outbound":
        paths.append("document?copy=original&format=tiff")
    for path in paths:
        reply = server.ask("GET", f"/v1/faxes/{fax}/{path}")
        found.add((reply.status, reply.json["code"] if reply.status >= 400 else ""))
    return found


def metric(server, name):
    for line in server.ask("GET", "/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return int(line.split()[1])
    raise AssertionError(f"no metric {name}")


def canceled(server, octets):
    """A fax that ended without a call, with a document of its own."""
    fax = server.ask("POST", "/v1/faxes", {"to": "1002", "hold": True, "documents": [
        {"data": base64.b64encode(octets).decode()}]}).json["id"]
    server.wait_state(fax, "held")
    same(server.ask("POST", f"/v1/faxes/{fax}/cancel").status, 202)
    return fax


def page_octets(mark):
    """A page that nobody else has: what stands behind the last directory of a TIFF is not looked at."""
    with open(PAGES[0], "rb") as file:
        return file.read() + mark.encode()


# --- by hand ---

@fact
def documents_are_deleted_by_hand_and_the_record_stays():
    server = started(FAST_RETRIES + exchange())
    receiver = Receiver()
    try:
        hook = server.ask("POST", "/v1/webhook-endpoints", {"url": receiver.url + "/a", "events": ["document.*"]})
        same(hook.status, 201)
        fax = server.send("1002")
        before = server.wait_state(fax)
        same((before["status"], before["documents_purged_at"]), ("delivered", None))
        came = server.settled_inbound(1)[0]["id"]
        same(answers(server, fax), {(200, "")})
        pages = server.document(came)
        reply = purge(server, fax)
        after = reply.json
        same((reply.status, after["status"], after["document_sha256"]), (200, "delivered", before["document_sha256"]))
        same((after["documents_purged_at"] is not None, "document" in after["links"]), (True, False))
        same(answers(server, fax), {(410, "purged")})
        again = purge(server, fax)
        same((again.status, again.json["documents_purged_at"]), (200, after["documents_purged_at"]))
        same(server.fax(fax), again.json)
        same(server.events(fax).count("document.purged"), 1)
        told = wait_for(lambda: receiver.events("/a"), "the webhook")
        same([(e["type"], e["data"]["id"], e["data"]["record_deleted"]) for e in told],
             [("document.purged", fax, False)])
        same(server.document(came), pages)  # the receiver's copy is its own
        same(purge(server, came).status, 200)
        same((files(server), rows(server), metric(server, "faxd_documents")), ([], [], 0))
        same((metric(server, "faxd_documents_bytes"), metric(server, "faxd_storage_free_bytes") > 0), (0, True))
        same(metric(server, "faxd_purged_documents_total") >= 2, True)
    finally:
        receiver.close()


@fact
def a_shared_document_goes_with_the_last_fax_and_a_record_with_all_that_tells_of_it():
    server = started(FAST_RETRIES + exchange())
    octets = page_octets("shared")
    first, second = canceled(server, octets), canceled(server, octets)
    same(purge(server, first).status, 200)
    same((answers(server, first), answers(server, second)), ({(410, "purged")}, {(200, "")}))
    original = server.ask("GET", f"/v1/faxes/{second}/document?copy=original&format=tiff")
    same(original.body, octets)
    same((len(files(server)), files(server)), (metric(server, "faxd_documents"), rows(server)))
    reply = purge(server, second, "?record=true")
    same((reply.status, reply.body), (204, b""))
    same([server.ask("GET", f"/v1/faxes/{second}{path}").status for path in ("", "/attempts", "/events", "/document")],
         [404] * 4)
    same(purge(server, second, "?record=true").status, 404)
    same((files(server), rows(server)), ([], []))
    same([f["id"] for f in server.faxes()], [first])
    last = server.get("/v1/events?limit=1000")["data"][-1]
    same((last["type"], last["data"]), ("document.purged", {"id": second, "direction": "outbound", "status": "canceled",
                                                          "record_deleted": True}))
    same(purge(server, first, "?record=true").status, 204)
    same(server.faxes(), [])


@fact
def who_may_delete_what_and_when():
    server = started(FAST_RETRIES + exchange())

    def key(*scopes):
        reply = server.ask("POST", "/v1/api-keys", {"name": "k", "scopes": list(scopes)})
        same(reply.status, 201)
        return reply.json["token"]

    reader, canceler, manager = key("document:read", "fax:read"), key("fax:cancel"), key("inbox:manage")
    keeper = key("fax:cancel", "config:*")
    held = server.send("1002", hold=True)
    server.wait_state(held, "held")
    same((purge(server, held).status, purge(server, held, "?record=true").status), (409, 409))
    same(server.fax(held)["status"], "held")
    sent = server.send("1002")
    server.wait_state(sent)
    came = server.settled_inbound(1)[0]["id"]
    same([purge(server, sent, key=k).status for k in (reader, manager)], [403, 403])
    same([purge(server, came, key=k).status for k in (reader, canceler)], [403, 403])
    reply = purge(server, came, key=canceler)
    within("inbox:manage", reply.headers["WWW-Authenticate"])
    same(purge(server, sent, "?record=true", key=canceler).json["code"], "insufficient_scope")
    same((answers(server, sent), answers(server, came)), ({(200, "")}, {(200, "")}))
    same((purge(server, sent, key=canceler).status, purge(server, came, key=manager).status), (200, 200))
    same(purge(server, sent, "?record=true", key=keeper).status, 204)
    same((purge(server, "fax_01J0").status, purge(server, came, "?record=yes").status, purge(server, came, "?x=1").status),
         (404, 400, 400))


# --- by age ---

@fact
def ages_of_the_configuration_delete_documents_and_records():
    server = started(FAST_RETRIES + exchange())
    fax = server.send("1002")
    server.wait_state(fax)
    came = server.settled_inbound(1)[0]["id"]
    held = server.send("1003", hold=True)
    server.wait_state(held, "held")
    same(server.end(), 0)
    ended_days_ago(server, 31)
    server.start()  # nobody said that anything should go
    same((answers(server, fax), answers(server, came)), ({(200, "")}, {(200, "")}))
    server.configure(FAST_RETRIES + "retention { outbound_documents = 30 inbound_records = 30 }\n" + exchange())
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: server.fax(fax)["documents_purged_at"], "the documents to go")
    wait_for(lambda: server.ask("GET", f"/v1/faxes/{came}").status == 404, "the record to go")
    same((answers(server, fax), answers(server, held)), ({(410, "purged")}, {(200, "")}))
    same(files(server), rows(server))
    same(server.end(), 0)
    server.configure(FAST_RETRIES + "retention { outbound_records = 31 }\n" + exchange())
    server.start()
    wait_for(lambda: server.ask("GET", f"/v1/faxes/{fax}").status == 404, "the other record to go")
    same(([f["id"] for f in server.faxes()], server.fax(held)["status"]), ([held], "held"))
    same(rows(server, "SELECT fax FROM attempt"), [])


# --- kill -9 ---

def delete_all(server, faxes, replies):
    """One after the other on one connection, until nobody answers."""
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        for fax in faxes:
            client.request("DELETE", f"/v1/faxes/{fax}", headers={"Authorization": "Bearer " + server.key})
            reply = client.getresponse()
            reply.read()
            replies.append((fax, reply.status))
    except OSError:
        pass  # it was killed
    except http.client.HTTPException:
        pass
    finally:
        client.close()


@fact
def kill_9_among_deletions_leaves_no_stray_file_and_loses_nothing_else():
    server = started(FAST_RETRIES + exchange())
    for before_kill in (1, 5, 9):
        octets = [page_octets(f"{before_kill} {n}") for n in range(12)]
        faxes = [canceled(server, text) for text in octets]
        replies = []
        thread = threading.Thread(target=delete_all, args=(server, faxes, replies))
        thread.start()
        wait_for(lambda: len(replies) >= before_kill, "some deletions")
        server.kill()
        thread.join()
        server.start()
        wait_for(lambda: files(server) == rows(server), "the sweep")
        for fax, status in replies:
            same((status, answers(server, fax)), (200, {(410, "purged")}))
        for fax, text in zip(faxes, octets):
            if not server.fax(fax)["documents_purged_at"]:
                same(answers(server, fax), {(200, "")})
                same(server.ask("GET", f"/v1/faxes/{fax}/document?copy=original&format=tiff").body, text)
            same(purge(server, fax).status, 200)
        same((files(server), rows(server)), ([], []))


# --- the disk ---

@fact
def a_full_disk_refuses_new_work_and_lets_what_is_under_way_end():
    roomy = FAST_RETRIES + exchange(pace=5)
    server = started(roomy)
    disk = os.statvfs(server.folder)
    free_mib = disk.f_bavail * disk.f_frsize // 2**20
    old = canceled(server, page_octets("old"))
    fax = server.send("1002")
    server.wait_state(fax, "sending")
    same(server.end(signal.SIGQUIT), 0)  # the call goes on
    server.configure(f"store {{ min_free_mib = {free_mib * 2 + 1024} }}\n" + roomy)
    server.start()
    for octets in (page_octets("small"), page_octets("large" * 500000)):
        reply = server.ask("POST", "/v1/faxes", {"to": "1003", "documents": [
            {"data": base64.b64encode(octets).decode()}]})
        same((reply.status, reply.json["code"], reply.headers["Retry-After"]), (503, "storage_full", "5"))
    same((metric(server, "faxd_store_has_room"), server.ask("GET", "/health/ready").status), (0, 503))
    ended = server.wait_state(fax)
    same((ended["status"], ended["calls"]), ("delivered", 1))
    came = server.settled_inbound(1)[0]
    same((came["status"], len(pixels(server.document(came["id"])))), ("received", 1))
    same(purge(server, old).status, 200)  # how room is made
    same(files(server), rows(server))
    same(server.end(), 0)
    server.configure(roomy)
    server.start()
    same(server.submit("1002").status, 202)


if __name__ == "__main__":
    sys.exit(main())
