#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done with received faxes: folder, command, webhook, print, and each of them failing. Prints TAP."""
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cups import Cups  # noqa: E402
from faxd import (BUILD, FAST_RETRIES, PAGES, Receiver, exchange, fact, main, octets, pixels, running, same, signed_by,  # noqa: E402
                  started, wait_for, within)
from postfix import Postfix  # noqa: E402
from routes import ROUTES, at_rest, call, rule  # noqa: E402

SOON = "routing { retry = {1} folder_root = \"%s\" command_dir = \"%s\" give_up = %d }\n"
LINES = [("1001", 'station_id = "ACME 1"'), ("1002", ""), ("1003", "")]


@contextlib.contextmanager
def place(give_up=3600, more=""):
    """A folder with one for files and one for programs, and a server whose rules may use them."""
    folder = tempfile.mkdtemp(prefix="faxd-route-")
    for name in ("in", "bin"):
        os.mkdir(os.path.join(folder, name))
    try:
        config = SOON % (folder + "/in", folder + "/bin", give_up)
        yield folder, started(config + FAST_RETRIES + more + exchange(lines=LINES))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def program(folder, text, name="program"):
    """A shell script among the programs."""
    path = os.path.join(folder, "bin", name)
    with open(path + "~", "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + text)
    os.chmod(path + "~", 0o755)
    os.rename(path + "~", path)
    return path


def deliveries(server, fax):
    return server.get(f"/v1/faxes/{fax}/deliveries")["data"]


def failing(server, fax, reason, which=0):
    """The delivery as soon as it gives that reason for waiting."""
    return wait_for(lambda: (d := deliveries(server, fax)[which]) and reason in (d["reason"] or "") and d,
                    f"a try that says {reason}")


def seen(path):
    """A file as soon as it is there, in lines."""
    wait_for(lambda: os.path.exists(path), path)
    return octets(path).decode().splitlines()


def alive(pid):
    try:
        return octets(f"/proc/{pid}/stat").decode().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def metric(server, line):
    return int(next(row for row in server.ask("GET", "/metrics").body.decode().splitlines() if row.startswith(line)).split()[-1])


# --- folder ---

@fact
def a_fax_is_stored_in_a_folder_under_a_name_of_its_own():
    with place() as (folder, server):
        inbox = folder + "/in/sales"
        os.mkdir(inbox)
        rule(server, [{"type": "folder", "folder": inbox},
                      {"type": "folder", "folder": inbox, "format": "tiff",
                       "name": "{station_id} {pages} of {from} to {to} {id}"}])
        fax = at_rest(server, call(server, "1002"), "routed")["id"]
        pdf, tiff = sorted(os.listdir(inbox), key=lambda name: name.endswith(".tif"))
        same(tiff, f"ACME_1 1 of 1001 to 1002 {fax}.tif")
        within(f"-1001-{fax}.pdf", pdf)
        same((pixels(os.path.join(inbox, tiff)), octets(os.path.join(inbox, pdf))[:5]), (pixels(PAGES[0]), b"%PDF-"))
        same(stat.S_IMODE(os.stat(os.path.join(inbox, tiff)).st_mode), 0o640)
        same([one["reason"] for one in deliveries(server, fax)], ["stored as " + pdf, "stored as " + tiff])
        with open(os.path.join(inbox, tiff), "w", encoding="utf-8") as file:
            file.write("mine")
        same(server.ask("POST", f"/v1/faxes/{fax}/route").status, 200)  # what is there is left as it is
        again = wait_for(lambda: (d := deliveries(server, fax)[2:]) and all(one["ended_at"] for one in d) and d, "the end")
        same(again[1]["reason"], "it is there already as " + tiff)
        same((octets(os.path.join(inbox, tiff)), len(os.listdir(inbox))), (b"mine", 2))
        same(metric(server, 'faxd_route_tries_total{method="folder",result="delivered"}'), 4)
        told = server.get("/v1/audit-log?action=document.delivered")["data"]
        same([(one["object"], one["detail"]["target"]) for one in told], [(fax, inbox)] * 4)


@fact
def nothing_leads_out_of_the_folder_for_files():
    with place(give_up=1) as (folder, server):
        os.mkdir(folder + "/out")
        os.symlink(folder + "/out", folder + "/in/link")
        rule(server, [{"type": "folder", "folder": folder + "/in/link"}])
        fax = call(server, "1002")
        at_rest(server, fax, "route_failed")
        within("cannot open the folder", deliveries(server, fax)[0]["reason"])
        same(os.listdir(folder + "/out"), [])


@fact
def a_full_folder_is_tried_again_until_there_is_room():
    with place() as (folder, server):
        disk = folder + "/in/disk"
        os.mkdir(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", disk], check=True)
        try:
            rule(server, [{"type": "folder", "folder": disk, "format": "tiff"}])
            fax = call(server, "1002")
            waits = failing(server, fax, "No space left on device")
            same((waits["status"] in ("waiting", "running"), server.fax(fax)["status"]), (True, "routing"))
            same(os.listdir(disk), [])  # nothing half-written is left
            reply = server.ask("DELETE", f"/v1/faxes/{fax}")
            same(reply.status, 409)  # its documents are needed
            within("still waits", reply.json["detail"])
            subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
            at_rest(server, fax, "routed")
            same([pixels(os.path.join(disk, name)) for name in os.listdir(disk)], [pixels(PAGES[0])])
            same(deliveries(server, fax)[0]["tries"] > 1, True)
            same(server.ask("DELETE", f"/v1/faxes/{fax}").status, 200)
        finally:
            subprocess.run(["umount", disk], check=True)


@fact
def a_delivery_that_is_given_up_raises_an_alarm_and_can_be_tried_again():
    with place(give_up=1) as (folder, server):
        rule(server, [{"type": "folder", "folder": folder + "/in/missing"}, {"type": "inbox", "labels": ["seen"]}])
        fax = call(server, "1002")
        failed = at_rest(server, fax, "route_failed")
        same(failed["labels"], ["seen"])  # the other one arrived
        lost = deliveries(server, fax)[0]
        same((lost["status"], lost["next_at"], lost["ended_at"] is None), ("failed", None, False))
        within("No such file or directory", lost["reason"])
        same(server.events(fax)[-1], "inbound.route_failed")
        alarms = {one["code"]: one for one in server.get("/v1/dashboard")["alarms"]}
        same(alarms["route_failed"]["severity"], "critical")
        same(metric(server, 'faxd_faxes{direction="inbound",state="route_failed"}'), 1)
        os.mkdir(folder + "/in/missing")
        retried = server.ask("POST", f"/v1/faxes/{fax}/deliveries/{lost['id']}/retry")
        same((retried.status, retried.json["status"]), (200, "waiting"))
        at_rest(server, fax, "routed")
        same(server.events(fax)[-1], "inbound.routed")
        same([one["code"] for one in server.get("/v1/dashboard")["alarms"] if "route" in one["code"]], [])
        same(metric(server, 'faxd_faxes{direction="inbound",state="route_failed"}'), 0)
        same(len(os.listdir(folder + "/in/missing")), 1)


# --- command ---

@fact
def a_command_is_given_the_fax_and_nothing_of_ours():
    with place() as (folder, server):
        path = program(folder, f"""cd "$(dirname "$FAXD_FILE")" && cp "$3" {folder}/copy && ls -l /proc/self/fd > {folder}/fds
env | sort > {folder}/env && cut -d' ' -f5,6 /proc/self/stat > {folder}/group && umask > {folder}/mask
printf '%s\\n' "$@" > {folder}/args~ && mv {folder}/args~ {folder}/args && echo done; echo fine 1>&2
""")
        rule(server, [{"type": "command", "argv": [path, "a b; $(id)", "{id}", "{file}", "{attempt}"]}], name="Archive")
        fax = at_rest(server, call(server, "1002", t30={"sub": "77"}), "routed")
        args = octets(folder + "/args").decode().splitlines()
        same(args[:2] + args[3:], ["a b; $(id)", fax["id"], "1"])
        same(pixels(folder + "/copy"), pixels(PAGES[0]))
        same((os.path.basename(args[2]), os.path.exists(args[2])), (fax["id"] + ".tif", False))  # it went with the delivery
        env = dict(line.split("=", 1) for line in octets(folder + "/env").decode().splitlines())
        wanted = {"FAXD_ID": fax["id"], "FAXD_ATTEMPT": "1", "FAXD_FROM": "1001", "FAXD_TO": "1002", "FAXD_PAGES": "1",
                  "FAXD_STATION_ID": "ACME 1", "FAXD_SUBADDRESS": "77", "FAXD_STATUS": "received", "FAXD_FORMAT": "tiff",
                  "FAXD_LINE": "exchange/1002", "FAXD_RULE_NAME": "Archive", "FAXD_FILE": args[2]}
        same({name: env.get(name) for name in wanted}, wanted)
        same(set(env) - set(wanted), {"FAXD_DELIVERY", "FAXD_RULE", "FAXD_RECEIVED_AT", "PATH", "LC_ALL", "PWD", "OLDPWD"})
        same(len(octets(folder + "/fds").decode().splitlines()), 1 + 4)  # 0 to 2, and what ls itself looks with
        same(octets(folder + "/mask").decode().strip(), "0077")
        done = deliveries(server, fax["id"])[0]
        same((done["reason"], done["target"]), ("done fine", path))


@fact
def a_command_says_by_its_status_that_it_is_to_be_tried_again():
    with place() as (folder, server):
        path = program(folder, f"echo $FAXD_ATTEMPT >> {folder}/tries\nif [ $FAXD_ATTEMPT = 1 ]; then echo not yet; exit 75; fi\n"
                               "if [ $FAXD_ATTEMPT = 2 ]; then echo disk on fire; exit 3; fi\n")
        rule(server, [{"type": "command", "argv": [path]}])
        fax = call(server, "1002")
        failing(server, fax, "not yet")
        failing(server, fax, "it ended with status 3: disk on fire")
        at_rest(server, fax, "routed")
        same((seen(folder + "/tries"), deliveries(server, fax)[0]["tries"]), (["1", "2", "3"], 3))


@fact
def a_command_that_hangs_is_ended_with_all_that_it_started():
    with place() as (folder, server):
        hangs = program(folder, f"trap '' TERM\nsleep 1000 & echo $! > {folder}/child; echo $$ > {folder}/leader; wait\nwait\n")
        other = program(folder, f"echo $FAXD_ID > {folder}/other\n", "other")
        rule(server, [{"type": "command", "argv": [hangs], "timeout_s": 1}, {"type": "command", "argv": [other]}])
        fax = call(server, "1002")
        same(seen(folder + "/other"), [fax])  # it does not wait for the one that hangs
        pids = [seen(folder + "/" + name)[0] for name in ("leader", "child")]
        failing(server, fax, "it did not end in time")
        wait_for(lambda: not any(alive(pid) for pid in pids), "both to be gone")
        program(folder, "exit 0\n")
        at_rest(server, fax, "routed")
        same([one["status"] for one in deliveries(server, fax)], ["delivered"] * 2)


@fact
def programs_of_rules_made_by_api_lie_in_the_folder_for_them():
    with place() as (folder, server):
        os.symlink("/bin/true", folder + "/bin/link")
        same(server.ask("POST", ROUTES, {"methods": [{"type": "command", "argv": ["/bin/true"]}]}).codes(),
             {("/methods/0/argv/0", "not_allowed")})
        rule(server, [{"type": "command", "argv": [folder + "/bin/link"]}])
        fax = call(server, "1002")
        at_rest(server, fax, "route_failed")
        within("leads out", deliveries(server, fax)[0]["reason"])


@fact
def rules_made_by_api_go_by_the_folders_that_are_named_now():
    with place() as (folder, server):
        path = program(folder, "exit 0\n")
        for name in ("/other", "/in/deep"):
            os.mkdir(folder + name)
        rule(server, [{"type": "folder", "folder": folder + "/in/deep"}, {"type": "command", "argv": [path]}])
        at_rest(server, call(server, "1002"), "routed")
        for name in ("/other", ""):
            root = folder + name if name else ""
            server.configure(SOON % (root, root, 3600) + FAST_RETRIES + exchange(lines=LINES))
            server.process.send_signal(signal.SIGHUP)
            wait_for(lambda r=root: server.ask("POST", ROUTES, {"methods": [{"type": "folder", "folder": r or folder}]})
                     .status == (201 if r else 422), "the other configuration")
            fax = call(server, "1002")
            at_rest(server, fax, "route_failed")
            ends = wait_for(lambda f=fax: (d := deliveries(server, f)) and all(one["status"] == "failed" for one in d) and d,
                            "both to fail")
            for one, key in zip(ends, ("folder_root", "command_dir")):
                within(f"routing|{key}", one["reason"])
        same(len(os.listdir(folder + "/in/deep")), 1)


@fact
def a_root_may_be_written_with_a_slash_behind_it():
    with place() as (folder, server):
        path = program(folder, "exit 0\n")
        server.kill()
        server.configure(SOON % (folder + "/in/", folder + "/bin//", 3600) + FAST_RETRIES + exchange(lines=LINES))
        server.start()
        rule(server, [{"type": "folder", "folder": folder + "/in"}, {"type": "folder", "folder": folder + "/in//", "format": "tiff"},
                      {"type": "command", "argv": [path]}])
        at_rest(server, call(server, "1002"), "routed")
        same(sorted(name[-4:] for name in os.listdir(folder + "/in")), [".pdf", ".tif"])  # and no parts


@fact
def what_a_command_leaves_beside_the_document_goes_with_it():
    with place() as (folder, server):
        path = program(folder, f"mkdir -p a/b; cp $FAXD_FILE a/b/page; ln -s {folder}/in a/link; pwd > {folder}/where\n")
        open(folder + "/in/mine", "w", encoding="utf-8").close()
        rule(server, [{"type": "command", "argv": [path]}])
        at_rest(server, call(server, "1002"), "routed")
        same((os.path.exists(seen(folder + "/where")[0]), os.listdir(folder + "/in")), (False, ["mine"]))


# --- crashes ---

@fact
def after_a_crash_each_delivery_is_made_and_says_which_try_it_is():
    with place() as (folder, server):
        path = program(folder, f"echo $$ $FAXD_ATTEMPT >> {folder}/tries\ntest -e {folder}/go || exec sleep 1000\n")
        rule(server, [{"type": "command", "argv": [path]}, {"type": "folder", "folder": folder + "/in", "format": "tiff"}])
        fax = call(server, "1002")
        first = seen(folder + "/tries")[0].split()
        wait_for(lambda: deliveries(server, fax)[1]["status"] == "delivered", "the file")
        files = os.listdir(folder + "/in")
        server.kill()
        wait_for(lambda: not alive(first[0]), "the program to end with its server")
        open(folder + "/go", "w", encoding="utf-8").close()
        server.start()
        at_rest(server, fax, "routed")
        same([line.split()[1] for line in seen(folder + "/tries")], ["1", "2"])
        same((os.listdir(folder + "/in"), [one["tries"] for one in deliveries(server, fax)]), (files, [2, 1]))
        same(os.listdir(os.path.join(server.state, "hosts/.route")), [])


@fact
def a_crash_at_any_moment_leaves_one_whole_file():
    with place() as (folder, server):
        rule(server, [{"type": "folder", "folder": folder + "/in"}, {"type": "folder", "folder": folder + "/in", "format": "tiff"}])
        for pause in (0, 1, 2):
            fax = call(server, "1002")
            wait_for(lambda n=pause, f=fax: len([d for d in deliveries(server, f) if d["tries"]]) >= n, "a moment")
            server.kill()
            server.start()
            at_rest(server, fax, "routed")
            mine = sorted(name for name in os.listdir(folder + "/in") if fax in name)
            same([name[-4:] for name in mine], [".pdf", ".tif"])
            same(pixels(os.path.join(folder, "in", mine[1])), pixels(PAGES[0]))


# --- webhook ---

@fact
def a_webhook_gets_a_signed_message_with_a_link_to_the_pages():
    with place() as (_, server):
        receiver = Receiver({"/in": [500, 200]})
        try:
            made = server.ask("POST", ROUTES, {"methods": [{"type": "webhook", "url": receiver.url + "/in"}]}).json
            secret = made["methods"][0]["secret"]
            fax = call(server, "1002")
            failing(server, fax, "answered with 500")
            at_rest(server, fax, "routed")
            same([signed_by(secret, headers, body) for _, headers, body in receiver.got], [True, True])
            same(len({headers["webhook-id"] for _, headers, _ in receiver.got}), 1)
            told = receiver.events("/in")
            same([(one["type"], one["data"]["id"], one["data"]["attempt"]) for one in told],
                 [("inbound.document", fax, 1), ("inbound.document", fax, 2)])
            data = told[1]["data"]
            same((data["from"], data["to"], data["remote_station_id"], data["document"]["format"]),
                 ("1001", "1002", "ACME 1", "pdf"))
            given = server.ask("GET", data["document"]["url"], headers={"Authorization": None})
            same((given.status, given.body[:5]), (200, b"%PDF-"))
            receiver.answers["/in"] = [410]
            other = call(server, "1002")
            at_rest(server, other, "route_failed")
            within("410", deliveries(server, other)[0]["reason"])
        finally:
            receiver.close()


@fact
def a_webhook_that_is_not_there_holds_no_other_up():
    with place() as (_, server):
        receiver = Receiver()
        try:
            rule(server, [{"type": "webhook", "url": "http://127.0.0.1:1/dead"},
                          {"type": "webhook", "url": receiver.url + "/in", "format": "tiff"}])
            fax = call(server, "1002")
            wait_for(lambda: receiver.events("/in"), "the other webhook")
            failing(server, fax, "onnect")
            same(server.fax(fax)["status"], "routing")
            link = receiver.events("/in")[0]["data"]["document"]["url"]
            same(pixels(server.ask("GET", link, headers={"Authorization": None}).body), pixels(PAGES[0]))
        finally:
            receiver.close()


# --- print ---

@fact
def a_fax_is_printed_by_cups():
    with place(more="") as (_, server), Cups() as cups:
        rule(server, [{"type": "print", "printer": "office", "server": cups.address, "copies": 2}])
        fax = call(server, "1002")
        failing(server, fax, "does not exist")  # there is no such printer yet
        printer = cups.printer("office")
        at_rest(server, fax, "routed")
        within("request id is office-1", deliveries(server, fax)[0]["reason"])
        wait_for(lambda: printer.jobs, "a print")
        same((printer.jobs[0].count(b"%PDF-"), len(printer.jobs)), (2, 1))
        cups.stop()
        other = call(server, "1002")
        waits = wait_for(lambda: (d := deliveries(server, other)[0])["reason"] and d, "a try without a print server")
        same((waits["tries"] > 0, server.fax(other)["status"]), (True, "routing"))
        cups.start()
        at_rest(server, other, "routed")
        printer.close()


# --- e-mail ---

@fact
def a_fax_is_mailed_and_the_tries_of_its_mail_are_shown():
    with Postfix(mailboxes=("anna",)) as postfix:
        mail = (f'mail {{ server = "smtp://127.0.0.1:{postfix.port}" starttls = off from = "fax@office.example"'
                ' retry = {1} }\n')
        with place(more=mail) as (_, server):
            within(("/methods/0/to", "invalid_address"),
                   server.ask("POST", ROUTES, {"methods": [{"type": "email", "to": "anna at office"}]}).codes())
            made = rule(server, [{"type": "email", "to": "anna@office.example", "subject": "For you"}])
            fax = call(server, "1002")
            message = postfix.wait_mail("anna")[0]
            same(message["Subject"], "For you")
            pages = [part.get_payload(decode=True)[:5] for part in message.walk() if part.get_content_type() == "application/pdf"]
            same(pages, [b"%PDF-"])
            at_rest(server, fax, "routed")
            same([(one["status"], one["tries"], one["target"]) for one in deliveries(server, fax)],
                 [("delivered", 1, "anna@office.example")])
            postfix.stop()
            other = call(server, "1002")
            waits = wait_for(lambda: (d := deliveries(server, other)) and d[0]["reason"] and d[0], "a try that failed")
            same((waits["status"], server.fax(other)["status"], waits["next_at"] is None), ("running", "routing", False))
            server.kill()  # it is one mail, before and after
            server.start()
            postfix.start()
            at_rest(server, other, "routed")
            same((len(postfix.wait_mail("anna", 2)), deliveries(server, other)[0]["tries"] > 1), (2, True))
            same(server.ask("PATCH", f"{ROUTES}/{made}",
                            {"methods": [{"type": "email", "to": "nobody@office.example"}]}).status, 200)
            refused = call(server, "1002")
            at_rest(server, refused, "route_failed")  # there is no such mailbox: it is of no use to try again
            within("550", deliveries(server, refused)[0]["reason"])


@fact
def mails_that_wait_end_when_there_is_no_mail_server_any_more():
    mail = 'mail { %s from = "fax@office.example" retry = {1} give_up = %d }\n'
    nowhere = 'server = "smtp://127.0.0.1:9" starttls = off'
    with place(more=mail % (nowhere, 3600)) as (folder, server):
        rule(server, [{"type": "email", "to": "anna@office.example"}])
        fax = call(server, "1002")
        wait_for(lambda: (d := deliveries(server, fax)) and d[0]["reason"], "a try that failed")
        config = SOON % (folder + "/in", folder + "/bin", 3600) + FAST_RETRIES
        server.configure(config + mail % ("", 2) + exchange(lines=LINES))
        server.process.send_signal(signal.SIGHUP)
        at_rest(server, fax, "route_failed")
        same(deliveries(server, fax)[0]["reason"], "no mail server is configured")


@fact
def without_a_mail_server_no_rule_may_mail():
    server = started(exchange(lines=("1001",)))
    same(server.ask("POST", ROUTES, {"methods": [{"type": "email", "to": "anna@office.example"}]}).codes(),
         {("/methods/0/type", "mail_not_configured")})


# --- encryption ---

@fact
def what_is_stored_encrypted_is_delivered_plain():
    folder = tempfile.mkdtemp(prefix="faxd-keys-")
    try:
        key = folder + "/keys"
        subprocess.run([os.path.join(BUILD, "faxd"), "--make-key", key], check=True, capture_output=True)
        os.mkdir(folder + "/run", 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", folder + "/run"], check=True)
        with place(more=f'encryption {{ key_file = "{key}" call_dir = "{folder}/run" }}\n') as (root, server):
            path = program(root, f"cp $FAXD_FILE {root}/copy && echo $FAXD_FILE > {root}/where\n")
            rule(server, [{"type": "folder", "folder": root + "/in", "format": "tiff"},
                          {"type": "command", "argv": [path, "{file}"]}])
            at_rest(server, call(server, "1002"), "routed")
            for name in [root + "/copy"] + [os.path.join(root, "in", name) for name in os.listdir(root + "/in")]:
                same(pixels(name), pixels(PAGES[0]))
            within(folder + "/run/", seen(root + "/where")[0])  # never on a disk of ours
            running.pop().stop()  # before its folder in memory goes
    finally:
        subprocess.run(["umount", folder + "/run"], check=False)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
