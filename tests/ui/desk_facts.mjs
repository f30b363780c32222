// SPDX-License-Identifier: GPL-2.0-or-later
// What stands around the faxes: webhooks, keys, lines, contacts, rules, reports, users, and how the pages are used.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import {
  api,
  close,
  document_,
  expects,
  firstUser,
  fresh,
  go,
  has,
  idOf,
  PASSWORD,
  ready,
  RECEIVER,
  sendByApi,
  signedIn,
  until,
  URL,
  waitState,
} from "./browser.mjs";

export const facts = [];
const fact = (work) => facts.push(work);

fact(async function the_first_user_signs_in() {
  await firstUser();
  await waitState(await sendByApi("1002"), "delivered");
  await waitState(await sendByApi("1003"), "delivered");
  const page = await signedIn("/sent");
  assert.equal(await page.locator("tbody tr[data-key]").count(), 2);
  await close(page);
});

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
  const out = execFileSync(
    "curl",
    [
      "-sS",
      "-m",
      "30",
      "-H",
      `Authorization: Bearer ${token}`,
      "-F",
      "to=1004",
      "-F",
      `file=@${document_("letter-cairo.pdf")}`,
      `${URL}/v1/faxes`,
    ],
    { encoding: "utf8" },
  );
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
  await page
    .locator("[role=menu]:popover-open")
    .waitFor({ state: "detached" })
    .catch(() => {});
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
    const id = await sendByApi("1002"),
      page = await signedIn(`/audit?object=${id}`);
    await page.locator("tbody tr[data-key]", { hasText: id }).first().waitFor();
    await page.getByRole("button", { name: "Check the chain" }).click();
    await page.getByText("The chain is whole").waitFor();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as CSV" }).click(),
    ]);
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
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as CSV" }).click(),
    ]);
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
  fact(
    Object.defineProperty(
      async () => {
        await api("POST", "/v1/users", { name: role, role, password: PASSWORD });
        const page = await fresh();
        await page.goto(URL + "/");
        await ready(page, "signin");
        await page.getByLabel("Name", { exact: true }).fill(role);
        await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.locator("nav.side a").first().waitFor();
        await ready(page);
        const links = await page
          .locator("nav.side a")
          .evaluateAll((all) => all.map((link) => [link.textContent, link.getAttribute("href").slice(1)]));
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
          assert.deepEqual(
            (await page.getByRole("menuitem").allInnerTexts()).filter((name) =>
              /Cancel|Delete|Send|Hold|Forward|Try/.test(name),
            ),
            [],
          );
        }
        await close(page);
      },
      "name",
      { value: `a_${role}_is_offered_what_it_may_do_and_nothing_else` },
    ),
  );
