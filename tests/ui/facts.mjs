// SPDX-License-Identifier: GPL-2.0-or-later
// What the pages of a real server do, as sentences. They run in this order on one server, which is new at the first.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { api, bySession, document_, expects, fresh, go, inaccessible, KEY, keepSession, PASSWORD, ready, RECEIVER, sendByApi, SETUP, signedIn, SIZES, until, URL, waitState } from "./browser.mjs";

export const facts = [];
const fact = (work) => facts.push(work);

const operations = (await (await fetch(URL + "/v1/openapi.json")).json()).paths;
const has = (method, at) => Boolean(operations[at] && operations[at][method]);

const status = (page, text) => page.locator(".fax-status .badge", { hasText: text }).first().waitFor();
const idOf = (page) => new globalThis.URL(page.url()).hash.split("/").pop();
const row = (page, id) => page.locator(`tr[data-key="${id}"]`);
const close = (page) => page.context().close();
const LONG = Array.from({ length: 400 }, (_, n) => `Line ${n + 1} of a text that takes several pages.`).join("\n");

// What a hand does, counted: a thing typed, chosen or pressed is one action.
function hand(page) {
  let count = 0;
  return {
    count: () => count,
    type: async (label, text) => { count++; await page.getByLabel(label, { exact: true }).fill(text); },
    press: async (name) => { count++; await page.getByRole("button", { name, exact: true }).click(); },
    choose: async (file) => { count++; await page.locator("input[type=file]").setInputFiles(file); },
  };
}

fact(async function from_nothing_a_first_fax_takes_at_most_six_actions() {
  const page = await fresh(), by = hand(page);
  if (SETUP) {
    await page.goto(`${URL}/#setup=${SETUP}`);
    await ready(page, "signin");
    await by.type("Password", PASSWORD);
    await by.press("Create and sign in");
    await ready(page, "send");
    await keepSession(page);
  } else {
    await page.goto(URL + "/");
    await ready(page, "signin");
    await by.type("API key", KEY);
    await by.press("Open with the key");
    await ready(page, "dashboard");
    await page.getByRole("link", { name: "Send a first fax" }).click();
    await ready(page, "send");
  }
  await page.getByText("Send a first fax").first().waitFor();
  await by.type("Fax number", "1002");
  await by.choose(document_("letter-cairo.pdf"));
  await by.press("Send");
  await ready(page, "fax");
  await waitState(idOf(page), "delivered");
  await status(page, "Delivered");
  assert.ok(by.count() <= (SETUP ? 6 : 5), `it took ${by.count()} actions`);
  await close(page);
});

fact(async function the_door_tells_what_is_wrong_and_lets_in_who_is_right() {
  const page = await fresh("phone");
  expects(401);
  await page.goto(URL + "/");
  await ready(page, "signin");
  if (bySession()) {
    await page.getByLabel("Name", { exact: true }).fill("admin");
    await page.getByLabel("Password", { exact: true }).fill("not this one");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator(".form-fault:not([hidden])").waitFor();
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
  } else {
    await page.getByLabel("API key", { exact: true }).fill("fxk_live_nothing");
    await page.getByRole("button", { name: "Open with the key" }).click();
    await page.locator(".form-fault:not([hidden])").waitFor();
    await page.getByLabel("API key", { exact: true }).fill(KEY);
    await page.getByRole("button", { name: "Open with the key" }).click();
  }
  await ready(page, "dashboard");
  await page.reload();
  await ready(page, "dashboard");
  await page.getByRole("button", { name: "Your account" }).click();
  await page.getByRole("menuitem", { name: /Sign out|Forget the key/ }).click();
  await ready(page, "signin");
  await page.reload();
  await ready(page, "signin");
  await close(page);
});

fact(async function an_api_key_opens_the_pages_as_well() {
  const page = await fresh();
  await page.goto(URL + "/");
  await ready(page, "signin");
  if (bySession()) await page.getByText("Use an API key").click();
  await page.getByLabel("API key", { exact: true }).fill(KEY);
  await page.getByRole("button", { name: "Open with the key" }).click();
  await ready(page, "dashboard");
  await page.locator(".live", { hasText: "Live" }).waitFor();
  await close(page);
});

for (const size of Object.keys(SIZES)) {
  const sent = { id: null };

  fact(Object.defineProperty(async () => {
    const page = await signedIn("/send", size);
    await page.getByLabel("Fax number").fill("1003");
    await page.locator("input[type=file]").setInputFiles(document_("letter-cairo.pdf"));
    await page.locator(".preview-pages li").first().scrollIntoViewIfNeeded();
    await page.locator(".preview-pages img[src^=blob]").first().waitFor();
    assert.match(await page.locator(".send-side .big").innerText(), /^\d+ pages?$/);
    assert.match(await page.locator(".send-side").innerText(), /on the line/);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await ready(page, "fax");
    sent.id = idOf(page);
    await status(page, /Dialing|Agreeing|Sending|Delivered/);
    await status(page, "Delivered");
    await page.locator(".viewer img[src^=blob]").waitFor();
    await page.getByRole("button", { name: "What was said" }).first().click();
    await page.locator("dialog .ladder text", { hasText: "DCS" }).first().waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    await close(page);
  }, "name", { value: `on_a_${size}_a_PDF_is_sent_and_watched_until_it_is_delivered` }));

  fact(Object.defineProperty(async () => {
    const page = await signedIn("/inbox", size);
    const received = await until(async () => (await api("GET", "/v1/faxes?direction=inbound&to=1003&limit=1")).data.find((fax) => fax.status === "received"), "the fax to come in");
    await row(page, received.id).locator("img[src^=blob]").waitFor();
    await row(page, received.id).getByRole("link").first().click();
    await ready(page, "fax");
    await page.locator(".viewer img[src^=blob]").waitFor();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save PDF" }).click()]);
    const octets = readFileSync(await file.path());
    assert.equal(octets.subarray(0, 5).toString(), "%PDF-");
    assert.equal(file.suggestedFilename(), `${received.id}.pdf`);
    await page.getByRole("button", { name: "Larger" }).click();
    await page.locator(".viewer img[src^=blob]").waitFor();
    await close(page);
  }, "name", { value: `on_a_${size}_a_received_fax_is_opened_in_the_inbox_and_its_PDF_saved` }));

  fact(Object.defineProperty(async () => {
    const page = await signedIn("/queue", size), id = await sendByApi("1002", LONG);
    await waitState(id, "sending");
    await row(page, id).getByRole("link").first().click();
    await ready(page, "fax");
    await status(page, "Sending");
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Cancel the fax" }).click();
    await status(page, "Canceled");
    const fax = await waitState(id, "canceled");
    assert.ok(fax.pages.confirmed < fax.pages.total, "pages were left");
    await close(page);
  }, "name", { value: `on_a_${size}_a_fax_is_canceled_in_the_middle_of_its_pages` }));

  fact(Object.defineProperty(async () => {
    const page = await signedIn("/queue", size);
    const id = await sendByApi("1004", "Wait.\n", { not_before: new Date(Date.now() + 3600000).toISOString().replace(/\.\d+Z/, "Z") });
    await row(page, id).locator(".badge", { hasText: "Scheduled" }).waitFor();
    const act = async (name) => {
      await row(page, id).getByRole("button", { name: /^Actions/ }).click();
      await page.getByRole("menuitem", { name, exact: true }).click();
    };
    await act("Hold");
    await row(page, id).locator(".badge", { hasText: "On hold" }).waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await row(page, id).locator(".badge", { hasText: "Scheduled" }).waitFor();
    await act("Hold");
    await row(page, id).locator(".badge", { hasText: "On hold" }).waitFor();
    await act("Release");
    await row(page, id).locator(".badge", { hasText: "Scheduled" }).waitFor();
    await act("Cancel");
    await page.getByRole("button", { name: "Cancel the fax" }).click();
    await row(page, id).waitFor({ state: "detached" });
    await close(page);
  }, "name", { value: `on_a_${size}_a_fax_is_held_released_and_canceled_from_the_queue` }));
}

fact(async function a_webhook_is_added_and_its_delivery_is_seen_and_replayed() {
  const page = await signedIn("/webhooks");
  expects(422);
  await page.getByRole("button", { name: "Add a webhook" }).first().click();
  await page.getByLabel("Address", { exact: true }).fill("not an address");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.locator("dialog .fault:not([hidden])").first().waitFor();
  await page.getByLabel("Address", { exact: true }).fill(RECEIVER + "/hook");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  assert.match(await page.locator("[data-secret]").innerText(), /^whsec_/);
  await page.getByRole("button", { name: "I have stored it" }).click();
  await page.getByRole("link", { name: RECEIVER + "/hook" }).click();
  await ready(page, "webhooks");
  await page.getByRole("button", { name: "Send a test event" }).click();
  const first = page.locator("tbody tr").first();
  await first.locator(".badge", { hasText: "delivered" }).waitFor();
  await first.getByRole("button", { name: "Replay" }).click();
  await until(async () => (await (await fetch(RECEIVER + "/count")).json()).hook >= 2, "the replay to arrive");
  await close(page);
});

fact(async function a_key_is_made_shown_once_and_used_with_curl() {
  const page = await signedIn("/keys");
  await page.getByRole("button", { name: "Make a key" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("curl <b>here</b>");
  await page.getByRole("button", { name: "Make the key" }).click();
  const token = await page.locator("[data-secret]").innerText();
  assert.match(token, /^fxk_live_/);
  await page.getByRole("button", { name: "I have stored it" }).click();
  await page.locator("tbody th", { hasText: "curl <b>here</b>" }).waitFor();
  const out = execFileSync("curl", ["-sS", "-m", "30", "-H", `Authorization: Bearer ${token}`, "-F", "to=1004", "-F", `file=@${document_("letter-cairo.pdf")}`, `${URL}/v1/faxes`], { encoding: "utf8" });
  await waitState(JSON.parse(out).id, "delivered");
  assert.ok(!(await page.content()).includes(token), "the token is still in the page");
  await page.locator("tr", { hasText: "curl" }).getByRole("button").click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page.getByRole("button", { name: "Revoke it" }).click();
  await page.locator("tr", { hasText: "curl" }).locator(".badge", { hasText: "Revoked" }).waitFor();
  await close(page);
});

fact(async function faults_of_the_server_stand_beside_their_fields() {
  const page = await signedIn("/send");
  expects(422);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.locator("[data-pointer='/to'] .fault:not([hidden])").waitFor();
  await page.locator("[data-pointer='/documents'] .fault:not([hidden])").waitFor();
  await page.getByLabel("Fax number").fill("no number at all");
  await page.locator("input[type=file]").setInputFiles(document_("letter-cairo.pdf"));
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.locator("[data-pointer='/to'] .fault:not([hidden])").waitFor();
  await close(page);
});

fact(async function hostile_texts_are_only_text() {
  const evil = `<img src=x onerror="alert(1)">`, page = await signedIn("/send");
  await page.locator("input[type=file]").setInputFiles({ name: `${evil}.txt`.replaceAll("/", ""), mimeType: "text/plain", buffer: Buffer.from("Text.\n") });
  await page.locator(".files", { hasText: evil }).waitFor();
  const id = await sendByApi("1002", "Text.\n", { station_id: "<svg onload=x()>", client_reference: evil, tags: [evil], header: { text: evil }, metadata: { [evil]: evil } });
  await waitState(id, "delivered");
  await go(page, `/faxes/${id}`);
  await page.locator(".facts dd", { hasText: evil }).first().waitFor();
  await page.getByText("History", { exact: true }).click();
  const received = await until(async () => (await api("GET", "/v1/faxes?direction=inbound&to=1002&limit=5")).data.find((fax) => fax.remote_station_id === "<svg onload=x()>" && fax.status === "received"), "the fax with the hostile station id");
  await go(page, `/faxes/${received.id}`);
  await page.locator(".facts dd", { hasText: "<svg onload=x()>" }).first().waitFor();
  for (const at of ["/inbox", "/queue", "/sent", "/", `/sent?tag=${encodeURIComponent(evil)}`, `/${encodeURIComponent(evil)}`, "/explorer?op=%3Cscript%3E"]) {
    await go(page, at);
    assert.equal(await page.locator("img[src=x], svg[onload], [onerror], script:not([src])").count(), 0, `at ${at}`);
  }
  if (has("post", "/v1/contacts")) {
    await api("POST", "/v1/contacts", { name: evil, organization: evil, number: "+13125550123" });
    await go(page, "/contacts");
    await page.locator("tbody th", { hasText: evil }).waitFor();
    assert.equal(await page.locator("img[src=x]").count(), 0);
    await go(page, "/send");
    await page.getByLabel("Fax number").pressSequentially("<img");
    await page.locator("[role=option]", { hasText: evil }).waitFor();
    assert.equal(await page.locator("img[src=x]").count(), 0);
  }
  await close(page);
});

fact(async function the_pages_are_walked_by_keyboard_alone() {
  const page = await signedIn("/sent");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
  await page.locator("tbody tr[data-key] a").first().focus();
  const first = await page.evaluate(() => document.activeElement.closest("tr").dataset.key);
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await page.evaluate(() => document.activeElement.closest("tr").dataset.key), first);
  await page.keyboard.press("Home");
  assert.equal(await page.evaluate(() => document.activeElement.closest("tr").dataset.key), first);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator("[role=menu]:popover-open").waitFor();
  await page.keyboard.press("End");
  await page.keyboard.press("Escape");
  await page.locator("[role=menu]:popover-open").waitFor({ state: "detached" }).catch(() => {});
  assert.match(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), /^Actions/);
  await close(page);
});

fact(async function the_reader_chooses_light_or_dark() {
  const page = await signedIn("/", "desktop", "dark");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.getByRole("button", { name: "Your account" }).click();
  await page.getByRole("menuitem", { name: "Light colours" }).click();
  const light = await ground();
  assert.notEqual(light, dark);
  await page.reload();
  await ready(page, "dashboard");
  assert.equal(await ground(), light);
  await close(page);
});

fact(async function a_line_is_switched_off_and_on() {
  const page = await signedIn("/lines", "phone");
  const box = () => page.locator("[data-line='exchange/1004']").getByRole("switch", { name: "Sends" });
  await box().click();
  await until(async () => (await api("GET", "/v1/lines/exchange/1004")).send_enabled === false, "the line to be off");
  await until(async () => !(await box().isChecked()), "the switch to follow");
  await box().click();
  await until(async () => (await api("GET", "/v1/lines/exchange/1004")).send_enabled === true, "the line to be on");
  await close(page);
});

const act = async (page, name) => {
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name, exact: true }).click();
};
const receivedOn = async (line) => {
  const id = await sendByApi(line, "For the inbox.\n"), sent = await waitState(id, "delivered");
  return until(async () => (await api("GET", `/v1/faxes?direction=inbound&to=${line}&limit=5`)).data.find((fax) => fax.status === "received" && fax.timing.created >= sent.timing.created), "the fax to come in");
};

if (has("post", "/v1/faxes/{id}/read"))
  fact(async function a_received_fax_is_read_assigned_labelled_noted_and_junk() {
    const fax = await receivedOn("1004"), page = await signedIn("/inbox?view=unread");
    await row(page, fax.id).locator(".badge", { hasText: "New" }).waitFor();
    await row(page, fax.id).getByRole("link").first().click();
    await ready(page, "fax");
    await until(async () => (await api("GET", `/v1/faxes/${fax.id}`)).unread === false, "the fax to be read");
    await page.getByRole("button", { name: "Labels" }).click();
    await page.getByRole("textbox", { name: "Labels" }).fill("referral, <i>urgent</i>");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.locator(".chip", { hasText: "<i>urgent</i>" }).waitFor();
    await page.getByRole("button", { name: "Notes" }).click();
    await page.getByRole("textbox", { name: "Note" }).fill("Called back. <script>1</script>");
    await page.getByRole("button", { name: "Add the note" }).click();
    await page.locator("dialog .timeline p", { hasText: "Called back. <script>1</script>" }).waitFor();
    await page.keyboard.press("Escape");
    if (bySession()) {
      await page.getByRole("button", { name: "Assign", exact: true }).click();
      await page.getByLabel("Assigned to").selectOption({ label: "admin" });
      await page.locator("dialog").getByRole("button", { name: "Assign" }).click();
      await page.getByRole("button", { name: "Assigned to admin" }).waitFor();
    }
    await page.getByRole("button", { name: "Junk", exact: true }).click();
    await page.getByRole("button", { name: "Not junk" }).waitFor();
    await go(page, "/inbox?view=junk");
    await row(page, fax.id).waitFor();
    await row(page, fax.id).getByRole("button", { name: /^Actions/ }).click();
    await page.getByRole("menuitem", { name: "Not junk" }).click();
    await row(page, fax.id).waitFor({ state: "detached" });
    await close(page);
  });

if (has("post", "/v1/faxes/{id}/forward"))
  fact(async function a_received_fax_is_forwarded_and_a_sent_one_sent_again() {
    const fax = await receivedOn("1003"), page = await signedIn(`/faxes/${fax.id}`);
    await act(page, "Forward");
    await page.getByLabel("To", { exact: true }).fill("1002");
    await page.locator("dialog").getByRole("button", { name: "Forward" }).click();
    await page.getByRole("heading", { name: "To 1002" }).waitFor();
    await status(page, "Delivered");
    const first = idOf(page);
    await act(page, "Send once more");
    await page.locator("dialog").getByRole("button", { name: "Send", exact: true }).click();
    await page.waitForFunction((before) => !location.hash.endsWith(before), first);
    await status(page, "Delivered");
    assert.equal((await api("GET", `/v1/faxes/${idOf(page)}`)).resent_from, first);
    await close(page);
  });

if (has("patch", "/v1/faxes/{id}"))
  fact(async function priority_and_time_are_changed_and_what_failed_is_tried_again() {
    const id = await sendByApi("1004", "Wait.\n", { hold: true }), page = await signedIn(`/faxes/${id}`);
    await act(page, "Priority and time");
    await page.getByLabel("Priority").selectOption("high");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.locator(".facts dd", { hasText: "high" }).waitFor();
    await page.getByRole("button", { name: "Release" }).click();
    await status(page, "Delivered");
    const failed = await sendByApi("9999", "Nobody.\n", { retry: { max_attempts: 1 } });
    await waitState(failed, "failed");
    await go(page, `/faxes/${failed}`);
    await page.getByRole("button", { name: "Try again" }).click();
    await until(async () => (await api("GET", `/v1/faxes/${failed}/attempts`)).data.length > 1, "another call");
    await waitState(failed, "failed");
    await close(page);
  });

if (has("post", "/v1/batches"))
  fact(async function one_document_goes_to_several_numbers_as_a_batch() {
    const page = await signedIn("/send");
    await page.getByLabel("Fax number").fill("1002, 1003,1004,");
    assert.equal(await page.locator(".numbers .chip").count(), 3);
    await page.locator("input[type=file]").setInputFiles(document_("letter-cairo.pdf"));
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await ready(page, "batches");
    await page.locator(".badge", { hasText: "Done" }).waitFor();
    assert.match(await page.locator(".facts").first().innerText(), /3 of 3/);
    await close(page);
  });

if (has("get", "/v1/faxes/{id}/receipt"))
  fact(async function the_receipt_of_a_fax_is_saved() {
    const id = await sendByApi("1002");
    await waitState(id, "delivered");
    const page = await signedIn(`/faxes/${id}`);
    const [file] = await Promise.all([page.waitForEvent("download"), act(page, "Receipt")]);
    assert.equal(readFileSync(await file.path()).subarray(0, 5).toString(), "%PDF-");
    await close(page);
  });

if (has("post", "/v1/faxes/{id}/links"))
  fact(async function a_link_opens_the_pages_without_a_key() {
    const id = await sendByApi("1002");
    await waitState(id, "delivered");
    const page = await signedIn(`/faxes/${id}`);
    await act(page, "Share a link");
    await page.getByRole("button", { name: "Make the link" }).click();
    const link = await page.locator("[data-secret]").innerText();
    const reply = await fetch(link);
    assert.equal(`${reply.status} ${reply.headers.get("Content-Type")}`, "200 application/pdf");
    await close(page);
  });

if (has("post", "/v1/contacts"))
  fact(async function a_contact_is_added_found_while_typing_and_sent_to() {
    const page = await signedIn("/contacts");
    await page.getByRole("button", { name: "Add a contact" }).first().click();
    await page.getByLabel("Name", { exact: true }).fill("Lakeside Clinic");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("dialog [data-pointer='/number'] .fault:not([hidden])").waitFor();
    await page.getByLabel("Fax number").fill("1002");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("tbody th", { hasText: "Lakeside Clinic" }).waitFor();
    await go(page, "/send");
    await page.getByLabel("Fax number").pressSequentially("lakes");
    await page.locator("[role=option]", { hasText: "Lakeside Clinic" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.locator(".chip", { hasText: "Lakeside Clinic" }).waitFor();
    await page.locator("input[type=file]").setInputFiles(document_("letter-cairo.pdf"));
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await ready(page, "fax");
    assert.equal((await waitState(idOf(page), "delivered")).to, "1002");
    await go(page, "/contacts");
    await page.locator("tr", { hasText: "Lakeside Clinic" }).getByRole("button").click();
    await page.getByRole("menuitem", { name: "Remove" }).click();
    await page.getByRole("button", { name: "Remove it" }).click();
    await page.locator("tbody th", { hasText: "Lakeside Clinic" }).waitFor({ state: "detached" });
    await close(page);
  });

if (has("post", "/v1/identities"))
  fact(async function an_identity_is_added_and_a_fax_sent_as_it() {
    const page = await signedIn("/covers", "phone");
    await page.getByRole("button", { name: "Add an identity" }).first().click();
    await page.getByLabel("Name", { exact: true }).fill("Billing");
    await page.getByLabel("Station id").fill("555 0100");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("tbody th", { hasText: "Billing" }).waitFor();
    await go(page, "/send");
    await page.getByLabel("Fax number").fill("1002");
    await page.getByText("Type a message instead").click();
    await page.getByLabel("Or type a message").fill("As Billing.");
    await page.getByText("Time, sender and other options").click();
    await page.getByLabel("Send as").selectOption({ label: "Billing" });
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await ready(page, "fax");
    assert.equal((await waitState(idOf(page), "delivered")).local_station_id, "555 0100");
    await close(page);
  });

if (has("post", "/v1/rules/block"))
  fact(async function a_number_is_blocked_and_let_through_again() {
    const page = await signedIn("/rules");
    await page.getByRole("button", { name: "Add a rule" }).first().click();
    await page.getByLabel("Direction").selectOption("outbound");
    await page.getByLabel("Value").fill("+19005550100");
    await page.getByLabel("Reason").fill("<b>too dear</b>");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("tbody tr", { hasText: "<b>too dear</b>" }).waitFor();
    await page.locator("tr", { hasText: "+19005550100" }).getByRole("button").click();
    await page.getByRole("menuitem", { name: "Change" }).click();
    await page.getByLabel("Then").selectOption("allow");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.locator("tr", { hasText: "+19005550100" }).locator(".badge", { hasText: "Let through" }).waitFor();
    await page.locator("tr", { hasText: "+19005550100" }).getByRole("button").click();
    await page.getByRole("menuitem", { name: "Remove" }).click();
    await page.getByRole("button", { name: "Remove it" }).click();
    await page.getByText("No rules.").waitFor();
    await close(page);
  });

if (has("post", "/v1/routes/outbound"))
  fact(async function a_way_out_is_added_and_asked_for() {
    const page = await signedIn("/rules?view=outbound");
    await page.getByRole("button", { name: "Add a rule" }).first().click();
    await page.getByLabel("Name", { exact: true }).fill("Overseas");
    await page.getByLabel("Numbers that begin with").fill("+44");
    await page.getByLabel("Groups of lines").fill("default");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("tbody th", { hasText: "Overseas" }).waitFor();
    await page.getByLabel("Number", { exact: true }).fill("+442071234567");
    await page.getByRole("button", { name: "Ask" }).click();
    await page.locator(".card [role=status] dd", { hasText: "Overseas" }).waitFor();
    await close(page);
  });

if (has("get", "/v1/audit-log"))
  fact(async function the_audit_log_tells_who_did_what_and_is_whole() {
    const id = await sendByApi("1002"), page = await signedIn(`/audit?object=${id}`);
    await page.locator("tbody tr[data-key]", { hasText: id }).first().waitFor();
    await page.getByRole("button", { name: "Check the chain" }).click();
    await page.getByText("The chain is whole").waitFor();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save as CSV" }).click()]);
    assert.ok(readFileSync(await file.path(), "utf8").includes(id));
    await waitState(id, "delivered");
    await close(page);
  });

if (has("get", "/v1/reports/usage"))
  fact(async function reports_count_what_was_sent() {
    await waitState(await sendByApi("1002"), "delivered");
    const page = await signedIn("/reports?by=destination&days=1");
    await page.locator(".plain tbody tr", { hasText: "1002" }).waitFor();
    await page.locator(".plot rect.fill-good").first().waitFor();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save as CSV" }).click()]);
    assert.ok(readFileSync(await file.path(), "utf8").includes("1002"));
    await page.getByLabel("By", { exact: true }).selectOption("day");
    await page.locator(".plot").nth(1).waitFor();
    await close(page);
  });

// A reply of 403 or 404 would be an error on the console, and fail the fact: what a role may not do is not even asked for.
for (const [role, wanted, hidden] of [
  ["operator", ["Send", "Queue", "Inbox", "Lines"], ["Users", "API keys", "Webhooks", "Audit log"]],
  ["sender", ["Send", "Queue", "Sent"], ["Users", "API keys", "Webhooks", "Audit log"]],
  ["reader", ["Queue", "Sent", "Inbox"], ["Send", "Users", "API keys", "Webhooks", "Audit log"]],
])
  fact(Object.defineProperty(async () => {
    if (!bySession()) throw new Error("there are no users without the first one");
    await api("POST", "/v1/users", { name: role, role, password: PASSWORD });
    const page = await fresh();
    await page.goto(URL + "/");
    await ready(page, "signin");
    await page.getByLabel("Name", { exact: true }).fill(role);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("nav.side a").first().waitFor();
    await ready(page);
    const links = await page.locator("nav.side a").evaluateAll((all) => all.map((link) => [link.textContent, link.getAttribute("href").slice(1)]));
    const names = links.map(([name]) => name);
    for (const name of wanted) assert.ok(names.includes(name), `${name} is not in the menu: ${names}`);
    for (const name of hidden) assert.ok(!names.includes(name), `${name} is in the menu`);
    for (const [, at] of links) {
      await go(page, at);
      assert.notEqual(await page.locator("h1").innerText(), "This page could not be shown", at);
    }
    if (role === "reader") {
      await go(page, "/sent");
      await page.locator("tbody tr[data-key] a").first().click();
      await ready(page, "fax");
      assert.equal(await page.getByRole("link", { name: "Send a fax" }).count(), 0);
      await page.getByRole("button", { name: "More actions" }).click();
      assert.deepEqual((await page.getByRole("menuitem").allInnerTexts()).filter((name) => /Cancel|Delete|Send|Hold|Forward|Try/.test(name)), []);
    }
    await close(page);
  }, "name", { value: `a_${role}_is_offered_what_it_may_do_and_nothing_else` }));

fact(async function every_module_that_is_imported_is_served() {
  const seen = new Set(), look = async (at) => {
    if (seen.has(at)) return;
    seen.add(at);
    const reply = await fetch(URL + at);
    assert.equal(`${at} ${reply.status}`, `${at} 200`);
    const text = await reply.text();
    for (const [, to] of text.matchAll(/from "(\.[^"]+)"/g)) await look(new globalThis.URL(to, URL + at).pathname);
    for (const [, name] of text.matchAll(/module: "(\w+)"/g)) await look(`/ui/pages/${name}.js`);
  };
  await look("/ui/app.js");
  assert.ok(seen.size > 30, `only ${seen.size} modules`);
});

const everyPage = async () => {
  const newest = async (query) => (await api("GET", `/v1/faxes?limit=1&${query}`)).data[0].id;
  const page = await signedIn("/");
  const menu = await page.locator("nav.side a").evaluateAll((links) => links.map((link) => link.getAttribute("href").slice(1)));
  await close(page);
  assert.ok(menu.length >= 11, `only ${menu.length} pages in the menu`);
  return [...menu, `/faxes/${await newest("direction=inbound")}`, `/faxes/${await newest("direction=outbound")}`, "/nowhere", `/webhooks/${(await api("GET", "/v1/webhook-endpoints")).data[0].id}`, ...(bySession() ? ["/account"] : [])];
};

for (const [size, scheme] of [["desktop", "light"], ["desktop", "dark"], ["phone", "light"], ["phone", "dark"]])
  fact(Object.defineProperty(async () => {
    const found = [], door = await fresh(size, scheme);
    await door.goto(URL + "/");
    await ready(door, "signin");
    found.push(...(await inaccessible(door)).map((text) => `sign in: ${text}`));
    await close(door);
    const page = await signedIn("/", size, scheme);
    for (const at of await everyPage()) {
      await go(page, at);
      await page.locator(".loading").first().waitFor({ state: "detached" });
      found.push(...(await inaccessible(page)).map((text) => `${at}: ${text}`));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) found.push(`${at}: ${wide} dots wider than the screen`);
    }
    assert.deepEqual(found, []);
    await close(page);
  }, "name", { value: `no_page_has_a_serious_fault_of_access_on_a_${size}_in_${scheme}` }));
