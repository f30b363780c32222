#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Contacts, groups and identities: kept, found, imported, and used to send with. Prints TAP."""
import csv
import io
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import FAST_RETRIES, PAGES, Script, document, exchange, fact, main, octets, same, started, within  # noqa: E402

LINES = exchange(lines=("1001",))

SENT = {"mode": "audio", "codec": "PCMA", "final_confirmed": True}


def contact(server, name, number, **more):
    reply = server.ask("POST", "/v1/contacts", {"name": name, "number": number, **more})
    same((name, reply.status), (name, 201))
    same(reply.headers["Location"], "/v1/contacts/" + reply.json["id"])
    return reply.json


def group(server, name):
    reply = server.ask("POST", "/v1/groups", {"name": name})
    same(reply.status, 201)
    return reply.json["id"]


def names(server, query="", limit=50):
    """All pages of a list of contacts, as names."""
    found, cursor = [], ""
    while True:
        page = server.get(f"/v1/contacts?limit={limit}{query}{cursor}")
        assert len(page["data"]) <= limit
        found += [one["name"] for one in page["data"]]
        if not page["has_more"]:
            return found
        cursor = "&cursor=" + page["next_cursor"]


def load(server, text, kind="text/csv", status=200):
    octets_of = text.encode() if isinstance(text, str) else text
    reply = server.ask("POST", "/v1/contacts/import", octets_of, {"Content-Type": kind})
    if reply.status != status:
        raise AssertionError(f"{reply.status} {reply.body!r}")
    return reply


def export(server, query=""):
    reply = server.ask("GET", "/v1/contacts" + query, headers={"Accept": "text/csv"})
    same((reply.status, reply.headers["Content-Type"]), (200, "text/csv; charset=utf-8; header=present"))
    return reply.body.decode()


@fact
def a_contact_is_made_changed_and_deleted():
    server = started(LINES)
    made = contact(server, "Dr. Ruiz", "+1 (312) 555-0123", organization="Lake Clinic", email="ruiz@example.com",
                   notes="ring first\nthen fax")
    same({key: made[key] for key in ("name", "number", "organization", "email", "notes", "groups")},
         {"name": "Dr. Ruiz", "number": "+13125550123", "organization": "Lake Clinic", "email": "ruiz@example.com",
          "notes": "ring first\nthen fax", "groups": []})
    path = "/v1/contacts/" + made["id"]
    changed = server.ask("PATCH", path, {"organization": None, "number": "tel:1002"}).json
    same((changed["name"], changed["organization"], changed["number"]), ("Dr. Ruiz", None, "1002"))
    same(server.get(path), changed)
    same(server.ask("DELETE", path).status, 204)
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"name": "x"})):
        same((method, server.ask(method, path, body).status), (method, 404))
    same(names(server), [])


@fact
def every_fault_of_a_contact_is_told_at_once():
    server = started(LINES)
    reply = server.ask("POST", "/v1/contacts", {
        "name": "", "number": "12a", "organization": "x" * 128, "email": "nobody", "notes": 5, "groups": ["grp_x", 1],
        "telephone": "1", "nam": "x"})
    same(reply.status, 422)
    same(reply.codes(), {("/name", "too_short"), ("/number", "invalid_number"), ("/organization", "too_long"),
                         ("/notes", "wrong_type"), ("/groups/0", "no_such_group"), ("/groups/1", "wrong_type"),
                         ("/telephone", "unknown_key"), ("/nam", "unknown_key")})
    within("did you mean name", reply.body.decode())
    for body, pointer, code in (({"name": "a\nb", "number": "1"}, "/name", "control_character"),
                                ({"name": "a\x7fb", "number": "1"}, "/name", "control_character"),
                                ({"name": "a", "number": "1", "email": "a b@c"}, "/email", "invalid_email"),
                                ({"name": "a", "number": "1", "email": "@c"}, "/email", "invalid_email"),
                                ({"name": None, "number": "1"}, "/name", "wrong_type"),
                                ({"number": "1"}, "/name", "missing")):
        within((pointer, code), server.ask("POST", "/v1/contacts", body).codes())
    same(server.ask("POST", "/v1/contacts", []).status, 422)
    same(names(server), [])


@fact
def contacts_are_found_by_the_beginning_of_name_organization_and_number():
    server = started(LINES)
    for name, number, organization in (("Müller", "+4930100", "Alpha"), ("MULLER  zwei", "+4930200", ""),
                                       ("Zoe", "+4930300", "Muller GmbH"), ("Anna", "555", "Beta"),
                                       ("5th Avenue", "+1555", "muller & co")):
        contact(server, name, number, organization=organization)
    for limit in (1, 2, 50):
        same(names(server, limit=limit), ["5th Avenue", "Anna", "Müller", "MULLER  zwei", "Zoe"])
        same(names(server, "&q=mull", limit), ["Müller", "MULLER  zwei", "5th Avenue", "Zoe"])
        same(names(server, "&q=M%C3%BCLLER%20z", limit), ["MULLER  zwei"])
        same(names(server, "&q=%2B49%20(30)", limit), ["Müller", "MULLER  zwei", "Zoe"])
        same(names(server, "&q=5", limit), ["5th Avenue", "Anna"])  # one by its name, not twice
        same(names(server, "&q=gmbh", limit), [])
        same(names(server, "&q=%25", limit), [])  # % stands for itself
    for path in ("?cursor=x", "?cursor=n1", "?cursor=n1.zz.", "?cursor=m1..", "?cursor=n1.c3.", "?limit=0", "?search=x",
                 "?q=" + "x" * 101):
        same((path, server.ask("GET", "/v1/contacts" + path).status), (path, 400))


@fact
def groups_hold_contacts_and_leave_them_when_they_go():
    server = started(LINES)
    clinics, courts = group(server, "Clinics"), group(server, "Courts")
    same(server.ask("POST", "/v1/groups", {"name": "CLINICS"}).status, 409)
    same(server.ask("POST", "/v1/groups", {"name": "a;b"}).codes(), {("/name", "invalid_name")})
    anna = contact(server, "Anna", "1", groups=[courts, clinics, courts])
    same(anna["groups"], [clinics, courts])
    for i in range(5):
        contact(server, f"Z{i}", "2", groups=[clinics])
    same([(one["name"], one["members"]) for one in server.get("/v1/groups")["data"]], [("Clinics", 6), ("Courts", 1)])
    first = server.get("/v1/groups?limit=1")
    same([one["name"] for one in first["data"]] +
         [one["name"] for one in server.get("/v1/groups?cursor=" + first["next_cursor"])["data"]], ["Clinics", "Courts"])
    for limit in (1, 4, 50):
        same(names(server, f"&group={clinics}", limit), ["Anna", "Z0", "Z1", "Z2", "Z3", "Z4"])
        same(names(server, f"&group={clinics}&q=z", limit), ["Z0", "Z1", "Z2", "Z3", "Z4"])
    same(server.ask("PATCH", "/v1/contacts/" + anna["id"], {"groups": [courts]}).json["groups"], [courts])
    same(server.get("/v1/groups/" + clinics)["members"], 5)
    same(server.ask("PATCH", "/v1/groups/" + courts, {"name": "Tribunals"}).json["name"], "Tribunals")
    same(server.ask("PATCH", "/v1/groups/" + courts, {"name": "clinics"}).status, 409)
    same(server.ask("DELETE", "/v1/groups/" + courts).status, 204)
    same(server.get("/v1/contacts/" + anna["id"])["groups"], [])
    same(server.ask("DELETE", "/v1/contacts/" + server.get("/v1/contacts?q=z0")["data"][0]["id"]).status, 204)
    same(server.get("/v1/groups/" + clinics)["members"], 4)
    same(server.ask("GET", "/v1/contacts?group=" + courts).status, 404)


@fact
def a_file_is_imported_and_comes_out_as_it_went_in():
    server = started(LINES)
    text = ('\ufeffName;Fax Number;Company;Notes;Groups\r\n'
            '"Meier; Söhne";+49 30 100;"The ""Best""";"two\nlines";Clinics;\r\n').replace(";Clinics;", ";\"Clinics;Berlin\"")
    same(load(server, text).json, {"created": 1, "updated": 0, "groups_created": 2})
    one = server.get("/v1/contacts")["data"][0]
    same((one["name"], one["number"], one["organization"], one["notes"], len(one["groups"])),
         ("Meier; Söhne", "+4930100", 'The "Best"', "two\nlines", 2))
    contact(server, "=HYPERLINK(1)", "+1555", organization="-1+1", notes="'=x", email="a@b.example")
    before = export(server)
    rows = list(csv.reader(io.StringIO(before, newline="")))
    same(rows[0], ["name", "organization", "number", "email", "notes", "groups"])
    same(rows[1], ["'=HYPERLINK(1)", "'-1+1", "+1555", "a@b.example", "''=x", ""])
    same(rows[2], ["Meier; Söhne", 'The "Best"', "+4930100", "", "two\nlines", "Berlin;Clinics"])
    same(load(server, before).json, {"created": 0, "updated": 2, "groups_created": 0})  # nothing comes twice
    same(export(server), before)
    boundary = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"c.csv\"\r\n\r\n"
    same(load(server, boundary + "name,number\nAnna,7\n\r\n--x--\r\n", "multipart/form-data; boundary=x").json["created"], 1)
    same(len(export(server, "?q=meier").splitlines()), 3)


@fact
def every_faulty_line_is_told_and_nothing_of_the_file_is_stored():
    server = started(LINES)
    lines = ["name,number,groups"] + [f"Good {i},{i},New" for i in range(1, 401)]
    for at in range(2, 400, 4):
        lines[at] = f"Bad {at},abc,New"
    reply = load(server, "\n".join(lines + ['"open,1,x']), status=422)
    same(reply.codes(), {(f"/lines/{at + 1}/number", "invalid_number") for at in range(2, 400, 4)} |
         {("/lines/402", "malformed_line")})
    within("letter", reply.body.decode())
    same((names(server), server.get("/v1/groups")["data"]), ([], []))
    for text, pointer, code in ((b"", "", "empty"), (b"\n\r\n", "", "empty"), (b"name\nx", "/lines/1", "missing"),
                                (b"name,number,shoe\n", "/lines/1", "unknown_column"),
                                (b"name,number,fax\n", "/lines/1", "twice"),
                                (b"name,number\na,1,2\n", "/lines/2", "too_many_cells"),
                                (b"name,number\n\n\nx\xff,1\n", "/lines/4", "malformed_line"),
                                (b"name,number\na\0b,1\n", "/lines/2", "malformed_line"),
                                (b'name,number\n"a"b,1\n', "/lines/2", "malformed_line"),
                                (b"name,number\n" + b"x" * 20000, "/lines/2", "malformed_line"),
                                (b"name,number\n" + b"," * 70, "/lines/2", "malformed_line"),
                                (b"name,number\n" + b"a,1\n" * 20001, "", "too_many_lines"),
                                (b"name,number,groups\na,1," + b"g;" * 60, "/lines/2/groups", "wrong_count")):
        within((pointer, code), load(server, text, status=422).codes())
    same(names(server), [])
    same(server.ask("POST", "/v1/contacts/import", "{}", {"Content-Type": "application/json"}).status, 415)
    same(server.ask("POST", "/v1/contacts/import", "x" * (9 << 20), {"Content-Type": "text/csv"}).status, 413)


@fact
def a_fax_goes_to_a_contact_by_its_id():
    with Script() as script:
        server = started(FAST_RETRIES + script.provider())
        script.write("5551", SENT)
        ruiz = contact(server, "Dr. Ruiz", "5551", organization="Lake Clinic")
        one = server.wait_state(server.send("contact:" + ruiz["id"]))
        same((one["to"], one["status"]), ("5551", "delivered"))
        reply = server.submit("contact:con_none")
        same((reply.status, reply.codes()), (422, {("/to", "no_such_contact")}))
        covered = {"to": "contact:" + ruiz["id"], "cover_page": "plain"}
        shown = server.ask("POST", "/v1/previews", covered).json
        within("id", shown)
        plain = server.ask("POST", "/v1/previews", {"to": "5551", "cover_page": "plain"}).json
        said = server.ask("POST", "/v1/previews", {"to": "5551", "cover_page": {
            "template": "plain", "fields": {"to_name": "Dr. Ruiz", "to_company": "Lake Clinic"}}}).json

        def page(preview):
            return server.ask("GET", f"/v1/previews/{preview['id']}/pages/1?w=400").body
        assert page(shown) == page(said)
        assert page(shown) != page(plain)


@fact
def one_identity_is_the_default_and_only_one():
    server = started(LINES)

    def make(**body):
        reply = server.ask("POST", "/v1/identities", body)
        same((body, reply.status), (body, 201))
        return reply.json

    def defaults():
        return [one["name"] for one in server.get("/v1/identities")["data"] if one["default"]]
    billing = make(name="Billing", number="+1 312 555 0100", station_id="+1 312 5550100", header_text="Lake Billing",
                   time_zone="America/Chicago", caller_id="+13125550100")
    same({key: billing[key] for key in ("number", "station_id", "default")},
         {"number": "+13125550100", "station_id": "+1 312 5550100", "default": True})
    records = make(name="Records")
    same((records["default"], records["time_zone"], defaults()), (False, None, ["Billing"]))
    same(server.ask("PATCH", "/v1/identities/" + records["id"], {"default": True}).json["default"], True)
    same(defaults(), ["Records"])
    make(name="Third", default=True)
    same(defaults(), ["Third"])
    for path, body in (("PATCH", {"default": False}), ("DELETE", None)):
        third = [one["id"] for one in server.get("/v1/identities")["data"] if one["default"]][0]
        same((path, server.ask(path, "/v1/identities/" + third, body).status), (path, 409))
    same(server.ask("DELETE", "/v1/identities/" + billing["id"]).status, 204)
    page = server.get("/v1/identities?limit=1")
    same([one["name"] for one in page["data"] + server.get("/v1/identities?cursor=" + page["next_cursor"])["data"]],
         ["Records", "Third"])
    reply = server.ask("POST", "/v1/identities", {"name": "x", "station_id": "x" * 21, "time_zone": "Mars/Phobos",
                                                  "header_text": "a\r\nb", "number": "x", "default": 1})
    same(reply.codes(), {("/station_id", "invalid_station_id"), ("/time_zone", "unknown_time_zone"),
                         ("/header_text", "control_character"), ("/number", "invalid_number"), ("/default", "wrong_type")})
    reader = server.key_with("fax:send")
    same(server.ask("POST", "/v1/identities", {"name": "x"}, key=reader).status, 403)
    same(server.ask("GET", "/v1/identities", key=reader).status, 200)


@fact
def a_fax_says_what_its_identity_says_where_it_does_not_speak_itself():
    with Script() as script:
        server = started(FAST_RETRIES + script.provider())
        script.write("5551", SENT)

        def options(**more):
            """Who it is from, and what the provider was told."""
            one = server.wait_state(server.accepted(server.post([document(octets(PAGES[0]))], to="5551", **more)))
            told = script.options("5551")
            station = told["station_id"]
            return one["from"], "the line's" if station.startswith("300") else station, told.get("caller_id")
        same(options(), (None, "the line's", None))
        default = server.ask("POST", "/v1/identities", {"name": "D", "number": "100", "station_id": "DEFAULT"}).json["id"]
        other = server.ask("POST", "/v1/identities", {"name": "O", "number": "200", "station_id": "OTHER",
                                                      "caller_id": "+1999"}).json["id"]
        same(options(), ("100", "DEFAULT", None))
        same(options(**{"from": default}), ("100", "DEFAULT", None))
        same(options(**{"from": other}), ("200", "OTHER", "+1999"))
        same(options(**{"from": other}, station_id="MINE", caller_id="+1888"), ("200", "MINE", "+1888"))
        same(options(**{"from": "+1777"}), ("+1777", "the line's", None))
        reply = server.submit("5551", **{"from": "idn_none"})
        same((reply.status, reply.codes()), (422, {("/from", "no_such_identity")}))


@fact
def a_fax_to_a_contact_says_who_that_was():
    server = started(FAST_RETRIES + exchange())
    one = server.ask("POST", "/v1/contacts", {"name": "Dr. Ruiz", "organization": "Lakeside", "number": "1002"}).json
    fax = server.send("contact:" + one["id"])
    called = {"id": one["id"], "name": "Dr. Ruiz"}
    same((server.wait_state(fax)["to"], server.fax(fax)["to_contact"]), ("1002", called))
    same(server.fax(server.send("1003"))["to_contact"], None)
    # As it was called then, also when the contact is another or gone.
    server.ask("PATCH", "/v1/contacts/" + one["id"], {"name": "Dr. Ruiz-Ortega"})
    server.ask("DELETE", "/v1/contacts/" + one["id"])
    same(server.fax(fax)["to_contact"], called)
    again = server.ask("POST", f"/v1/faxes/{fax}/resend", {}).json["id"]
    elsewhere = server.ask("POST", f"/v1/faxes/{fax}/resend", {"to": "1003"}).json["id"]
    same([server.fax(other)["to_contact"] for other in (again, elsewhere)], [called, None])


@fact
def the_directory_outlives_a_crash():
    server = started(LINES)
    load(server, "name,number,groups\n" + "".join(f"P{i:05},{i},All\n" for i in range(1, 2001)))
    server.kill()
    server.start()
    same(len(names(server, limit=1000)), 2000)
    same(server.get("/v1/groups")["data"][0]["members"], 2000)


if __name__ == "__main__":
    sys.exit(main())
