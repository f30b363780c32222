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
  KEY,
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

fact(async function a_key_is_changed_and_keeps_its_secret() {
  const made = await api("POST", "/v1/api-keys", { name: "scanner", scopes: ["fax:read"], per_minute: 60 });
  const page = await signedIn("/keys", "phone");
  const line = () => page.locator("tr", { hasText: "scanner" });
  const open = async () => {
    await line()
      .getByRole("button", { name: /^Actions/ })
      .click();
    await page.getByRole("menuitem", { name: "Change" }).click();
  };
  expects(422);
  await open();
  await page.getByLabel("Only from").fill("192.0.2.1/24");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.locator("dialog [data-pointer='/allow_from'] .fault:not([hidden])").waitFor();
  await page.getByLabel("Only from").fill("192.0.2.0/24, 127.0.0.1");
  await page.getByLabel("Name", { exact: true }).fill("scanner on the second floor");
  await page.getByLabel("Cancel, hold and release (fax:cancel)").check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.locator("tr", { hasText: "second floor" }).getByText("only from 192.0.2.0/24, 127.0.0.1").waitFor();
  const key = await api("GET", `/v1/api-keys/${made.id}`);
  assert.deepEqual([key.scopes, key.per_minute, key.expires_at], [["fax:read", "fax:cancel"], 60, null]);
  const reply = await fetch(`${URL}/v1/faxes`, { headers: { Authorization: `Bearer ${made.token}` } });
  assert.equal(reply.status, 200);
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

fact(async function a_long_list_is_whole_wherever_it_is_scrolled_to_and_keeps_the_focus() {
  const ROWS = 400,
    page = await signedIn("/contacts"),
    fax = await waitState(await sendByApi("1002"), "delivered");
  await page.route(/\/v1\/faxes\?/, (route) => {
    const asked = new globalThis.URL(route.request().url()).searchParams,
      from = Number(asked.get("cursor")),
      end = Math.min(from + Number(asked.get("limit")), ROWS);
    const data = Array.from({ length: end - from }, (_, nth) => ({ ...fax, id: `row_${from + nth}` }));
    route.fulfill({ json: { data, has_more: end < ROWS, next_cursor: end < ROWS ? String(end) : null } });
  });
  await go(page, "/sent");
  // The numbers of the rows in the document; null while the screen has none somewhere, or one stands at a wrong place.
  const drawn = () =>
    page.evaluate(() => {
      const rows = [...document.querySelectorAll("tbody tr[data-key]")],
        numbers = rows.map((tr) => Number(tr.dataset.key.slice(4))),
        body = document.querySelector("tbody").getBoundingClientRect(),
        at = rows.map((tr) => tr.getBoundingClientRect());
      const right = rows.every(
        (tr, nth) =>
          numbers[nth] === numbers[0] + nth &&
          Number(tr.getAttribute("aria-rowindex")) === numbers[nth] + 2 &&
          Math.abs(at[nth].top - body.top - numbers[nth] * at[0].height) < 1,
      );
      const covered =
        at[0].top <= Math.max(0, body.top) + 1 && at.at(-1).bottom >= Math.min(innerHeight, body.bottom) - 1;
      return right && covered ? numbers : null;
    });
  const shows = (number) =>
    until(async () => (await drawn())?.includes(number), `row ${number} and all others on the screen`);
  const focused = () => page.evaluate(() => document.activeElement.closest("tr")?.dataset.key);

  await page.locator("tr[data-key=row_14] a").focus();
  await page.mouse.move(640, 430);
  await page.mouse.wheel(0, 600);
  await until(async () => !(await drawn())?.includes(0) && (await drawn()), "the first row to go");
  assert.equal(await focused(), "row_14");
  await until(async () => {
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    return (await drawn())?.includes(ROWS - 1);
  }, "the last row");
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight / 2));
  await shows(ROWS / 2);
  await page.mouse.wheel(0, -500);
  await shows(ROWS / 2 - 12);
  await page.locator(`tr[data-key=row_${ROWS / 2 - 10}] a`).focus();
  await page.keyboard.press("End");
  assert.equal(await focused(), `row_${ROWS - 1}`);
  await shows(ROWS - 1);
  await page.keyboard.press("Home");
  assert.equal(await focused(), "row_0");
  await shows(0);
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
    const fax = await waitState(idOf(page), "delivered");
    assert.deepEqual([fax.to, fax.to_contact && fax.to_contact.name], ["1002", "Lakeside Clinic"]);
    await page.getByRole("heading", { name: "To Lakeside Clinic (1002)" }).waitFor();
    await go(page, "/contacts");
    await page.locator("tr", { hasText: "Lakeside Clinic" }).getByRole("button").click();
    await page.getByRole("menuitem", { name: "Send a fax" }).click();
    await page.locator(".numbers .chip", { hasText: "Lakeside Clinic 1002" }).waitFor();
    await go(page, "/contacts");
    await page.locator("tr", { hasText: "Lakeside Clinic" }).getByRole("button").click();
    await page.getByRole("menuitem", { name: "Remove" }).click();
    await page.getByRole("button", { name: "Remove it" }).click();
    await page.locator("tbody th", { hasText: "Lakeside Clinic" }).waitFor({ state: "detached" });
    await close(page);
  });

if (has("post", "/v1/contacts/import"))
  fact(async function a_contact_stays_in_groups_that_its_form_did_not_show() {
    // More groups than a page of the list has, and one that is made while the contacts are on the screen.
    const names = Array.from({ length: 205 }, (_, n) => `Branch ${String(n).padStart(3, "0")}`),
      rows = [0, 41, 82, 123, 164].map((at) => `Branches ${at},1002,${names.slice(at, at + 41).join(";")}`);
    const reply = await fetch(`${URL}/v1/contacts/import`, {
      method: "POST",
      headers: { Authorization: `Bearer ${KEY}`, "Content-Type": "text/csv" },
      body: ["name,number,groups", ...rows, "Zoe,1003,Zz last"].join("\n"),
    });
    assert.equal((await reply.json()).groups_created, 206);
    const zoe = async () => (await api("GET", "/v1/contacts?q=Zoe")).data[0],
      [last] = (await zoe()).groups;
    const page = await signedIn("/contacts"),
      line = page.locator("tbody tr", { hasText: "Zoe" });
    await line.locator(".chip", { hasText: "Zz last" }).waitFor();
    const added = await api("POST", "/v1/groups", { name: "Zz new" });
    await api("PATCH", `/v1/contacts/${(await zoe()).id}`, { groups: [last, added.id] });
    await page.getByLabel("Search contacts").fill("Zoe");
    await line.locator(".chip").nth(1).waitFor();
    const change = async (how) => {
      await line.getByRole("button").click();
      await page.getByRole("menuitem", { name: "Change" }).click();
      await how();
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.locator("dialog").waitFor({ state: "detached" });
    };
    await change(() => page.getByLabel("Organization").fill("Lakeside"));
    assert.deepEqual((await zoe()).groups.sort(), [last, added.id].sort());
    await change(() => page.getByLabel("Zz last").uncheck());
    assert.deepEqual((await zoe()).groups, [added.id]);
    await close(page);
  });

if (has("post", "/v1/contacts/import"))
  fact(async function a_file_of_contacts_that_is_not_UTF_8_is_refused_and_not_damaged() {
    const page = await signedIn("/contacts"),
      text = "name,number\nPraxis M\u00fcller,1002\n",
      choose = (encoding) =>
        page
          .locator("dialog input[type=file]")
          .setInputFiles({ name: "contacts.csv", mimeType: "text/csv", buffer: Buffer.from(text, encoding) });
    expects(422);
    await page.getByRole("button", { name: "Bring in" }).click();
    await choose("latin1");
    await page.locator("dialog").getByRole("button", { name: "Bring in" }).click();
    await page.locator("dialog .form-fault", { hasText: "UTF-8" }).waitFor();
    await choose("utf8");
    await page.locator("dialog").getByRole("button", { name: "Bring in" }).click();
    await page.locator("tbody th", { hasText: "Praxis M\u00fcller" }).waitFor();
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

for (const size of ["desktop", "phone"])
  fact(
    Object.defineProperty(
      async () => {
        const name = `office_${size}`,
          page = await signedIn("/covers", size);
        await page.locator("[data-cover=plain]").scrollIntoViewIfNeeded();
        await page.locator("[data-cover=plain] img[src^=blob]").waitFor();
        await page.getByRole("button", { name: "Add a cover page" }).first().click();
        await page.locator(".cover-trial img[src^=blob]").waitFor();
        await page.getByLabel("Name", { exact: true }).fill(name);
        const text = page.getByLabel("Template"),
          good = await text.inputValue();
        expects(422);
        await text.fill(good.replace("</svg>", "<script>x()</script></svg>"));
        await page.locator(".cover-trial", { hasText: "<script>" }).waitFor();
        await page.getByRole("button", { name: "Add", exact: true }).click();
        await page.locator("[data-pointer='/template'] .fault", { hasText: "<script>" }).waitFor();
        await text.fill(good.replace("FAX", "FAX {{ward}}"));
        await page.getByText("Try it with other texts").click();
        await page.getByLabel("Ward", { exact: true }).fill("Seven");
        await page.locator(".cover-trial img[src^=blob]").waitFor();
        await page.getByRole("button", { name: "Add", exact: true }).click();
        const card = page.locator(`[data-cover=${name}]`);
        await card.scrollIntoViewIfNeeded();
        await card.locator("img[src^=blob]").waitFor();
        await card.getByText("ward").waitFor();
        await card.getByRole("button", { name: /^Look at/ }).click();
        await page.locator("dialog img[src^=blob]").waitFor();
        await page.keyboard.press("Escape");
        await page.locator("dialog").waitFor({ state: "detached" });
        await go(page, "/send");
        await page.getByLabel("Fax number").fill("1002");
        await page.getByRole("combobox", { name: "Cover page" }).selectOption(name);
        await page.getByLabel("Ward", { exact: true }).fill("Seven");
        await page.getByRole("button", { name: "Send", exact: true }).click();
        await ready(page, "fax");
        await waitState(idOf(page), "delivered");
        await go(page, "/covers");
        await card.getByRole("button", { name: /^Actions/ }).click();
        await page.getByRole("menuitem", { name: "Change" }).click();
        await page.locator("dialog input[type=file]").setInputFiles({
          name: "Other.svg",
          mimeType: "image/svg+xml",
          buffer: Buffer.from(good.replace("FAX", "OTHER")),
        });
        await page.getByRole("button", { name: "Save", exact: true }).click();
        await page.locator("dialog").waitFor({ state: "detached" });
        assert.match((await api("GET", `/v1/cover-pages/${name}`)).template, />OTHER</);
        await card.getByRole("button", { name: /^Actions/ }).click();
        await page.getByRole("menuitem", { name: "Remove" }).click();
        await page.getByRole("button", { name: "Remove it" }).click();
        await card.waitFor({ state: "detached" });
        await close(page);
      },
      "name",
      { value: `on_a_${size}_a_cover_page_is_made_seen_sent_changed_and_removed` },
    ),
  );

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
    const said = page.locator(".card [role=status] dd");
    await said.filter({ hasText: /^Overseas$/ }).waitFor();
    await said.filter({ hasText: /^yes$/ }).waitFor();
    await said.filter({ hasText: /^default \(has a line for it\)$/ }).waitFor();
    await said.filter({ hasText: 'The group "default" would carry it.' }).waitFor();
    // On another day only: the answer says from when.
    const [rule] = (await api("GET", "/v1/routes/outbound")).data,
      later = ((new Date().getUTCDay() + 2) % 7) + 1;
    await api("PATCH", `/v1/routes/outbound/${rule.id}`, {
      window: { from: "10:00", to: "11:00", days: [later], time_zone: "UTC" },
    });
    await page.getByRole("button", { name: "Ask" }).click();
    await said.filter({ hasText: "the fax would wait until" }).waitFor();
    assert.equal(new Date(await said.locator("time").getAttribute("datetime")).getUTCHours(), 10);
    // Nobody may be called there.
    const block = { direction: "outbound", kind: "prefix", value: "+4420", action: "deny", reason: "too dear" },
      made = await api("POST", "/v1/rules/block", block);
    await page.getByRole("button", { name: "Ask" }).click();
    await said.filter({ hasText: /^no$/ }).waitFor();
    await api("DELETE", `/v1/rules/block/${made.id}`);
    await close(page);
  });

if (has("post", "/v1/routes/inbound"))
  fact(async function received_faxes_are_passed_on_by_rules_that_are_made_moved_and_asked() {
    const page = await signedIn("/rules?view=inbound", "phone");
    const add = async (name, number) => {
      await page.getByRole("button", { name: "Add a rule" }).first().click();
      await page.getByLabel("Name", { exact: true }).fill(name);
      await page.locator("dialog").getByLabel("Number called", { exact: true }).fill(number);
    };
    expects(422);
    await add("Billing", "1003");
    await page.getByLabel("Who takes care of it").selectOption({ label: "admin" });
    await page.getByLabel("Labels").fill("bills, <b>new</b>");
    await page.getByRole("button", { name: "Another way" }).click();
    await page.locator("[data-method='1']").getByLabel("Way 2").selectOption({ label: "Webhook" });
    await page.locator("[data-method='1']").getByLabel("Address").fill("not an address");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("[data-pointer='/methods/1/url'] .fault:not([hidden])").waitFor();
    await page.locator("[data-method='1']").getByLabel("Address").fill(RECEIVER + "/passed");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    assert.match(await page.locator("[data-secret]").innerText(), /^whsec_/);
    await page.getByRole("button", { name: "I have stored it" }).click();
    await page.locator("tbody tr", { hasText: "1. Billing" }).waitFor();
    await add("All others", "");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("[data-pointer^='/methods'] .fault:not([hidden])").first().waitFor(); // to nobody, and no label
    await page.getByLabel("Who takes care of it").selectOption({ label: "admin" });
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("tbody tr", { hasText: "2. All others" }).waitFor();
    const act = async (name, what) => {
      await page
        .locator("tbody tr", { hasText: name })
        .getByRole("button", { name: /^Actions/ })
        .click();
      await page.getByRole("menuitem", { name: what, exact: true }).click();
    };
    await act("All others", "Move up");
    await page.locator("tbody tr", { hasText: "2. Billing" }).waitFor();
    await act("Billing", "Move up");
    await page.locator("tbody tr", { hasText: "1. Billing" }).waitFor();
    await act("All others", "Switch off");
    await page.locator("tr", { hasText: "All others" }).locator(".badge", { hasText: "Off" }).waitFor();
    const ask = page.locator(".card", { hasText: "What would become of a fax?" });
    await ask.getByLabel("Number called").fill("1003");
    await ask.getByRole("button", { name: "Ask" }).click();
    await ask.locator("tr", { hasText: "Inbox of somebody" }).waitFor();
    await ask.locator("dd", { hasText: "Being passed on" }).waitFor();
    // A fax goes that way, and says so.
    await waitState(await sendByApi("1003", "A bill.\n"), "delivered");
    const fax = await until(
      async () =>
        (await api("GET", "/v1/faxes?direction=inbound&to=1003&limit=1")).data.find((one) => one.status === "routed"),
      "the fax to be passed on",
    );
    await go(page, `/faxes/${fax.id}`);
    const passed = page.locator(".card", { hasText: "Passed on" }).locator("tbody tr");
    await passed.filter({ hasText: "Webhook" }).locator(".badge", { hasText: "Delivered" }).waitFor();
    await passed.filter({ hasText: "Inbox of somebody" }).locator(".badge", { hasText: "Delivered" }).waitFor();
    await page.locator(".chip", { hasText: "<b>new</b>" }).waitFor();
    await page.getByRole("button", { name: "Assigned to admin" }).waitFor();
    await until(async () => (await (await fetch(RECEIVER + "/count")).json()).passed >= 1, "the webhook to be called");
    for (const rule of (await api("GET", "/v1/routes/inbound")).data) await api("DELETE", `/v1/routes/inbound/${rule.id}`);
    await close(page);
  });

if (has("post", "/v1/routes/inbound"))
  fact(async function what_cannot_be_passed_on_says_why_and_is_tried_again() {
    const rule = await api("POST", "/v1/routes/inbound", {
      name: "Nobody listens",
      methods: [{ type: "webhook", url: "http://127.0.0.1:9/<i>none</i>" }],
    });
    await waitState(await sendByApi("1004", "To nobody.\n"), "delivered");
    const fax = await until(
      async () =>
        (await api("GET", "/v1/faxes?direction=inbound&to=1004&limit=1")).data.find((one) => one.status === "routing"),
      "the fax to be under way",
    );
    const tries = async () => (await api("GET", `/v1/faxes/${fax.id}/deliveries`)).data[0].tries;
    await until(async () => (await tries()) >= 1, "a first try");
    const page = await signedIn(`/faxes/${fax.id}`);
    const row = page.locator(".card", { hasText: "Passed on" }).locator("tbody tr", { hasText: "Nobody listens" });
    await row.locator(".badge", { hasText: "Waits" }).waitFor();
    assert.match(await row.innerText(), /Next try/);
    const before = await tries();
    await row.getByRole("button", { name: "Try again" }).click();
    await until(async () => (await tries()) > before, "another try");
    await page.getByRole("button", { name: "Junk", exact: true }).click();
    await page.getByText("This fax is put aside as junk.").waitFor();
    await page.getByRole("button", { name: "Not junk" }).click();
    await page.getByText("This fax is put aside as junk.").waitFor({ state: "detached" });
    await api("DELETE", `/v1/routes/inbound/${rule.id}`);
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

if (has("get", "/v1/audit-log"))
  fact(async function the_audit_log_is_saved_whole_however_many_pages_it_takes() {
    const not_before = new Date(Date.now() + 3600000).toISOString().replace(/\.\d+Z/, "Z"),
      id = await sendByApi("1002", "Later.\n", { not_before });
    await waitState(id, "scheduled");
    for (let turn = 0; turn < 30; turn++) {
      await api("POST", `/v1/faxes/${id}/hold`);
      await api("POST", `/v1/faxes/${id}/release`);
    }
    const page = await signedIn(`/audit?object=${id}`);
    await page.locator("tbody tr[data-key]", { hasText: id }).first().waitFor();
    // Small pages, so that there are several.
    await page.route(/\/v1\/audit-log\?limit=10000&/, (route) =>
      route.continue({ url: route.request().url().replace("limit=10000", "limit=25") }),
    );
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as CSV" }).click(),
    ]);
    const lines = readFileSync(await file.path(), "utf8").trim().split(/\r?\n/),
      entries = (await api("GET", `/v1/audit-log?object=${id}&limit=1000`)).data;
    assert.match(lines[0], /^sequence,/);
    assert.ok(entries.length > 60, `only ${entries.length} entries`);
    assert.deepEqual(
      lines.slice(1).map((line) => Number(line.split(",")[0])),
      entries.map((one) => one.sequence),
    );
    await page.getByText("Fetching the entries").waitFor({ state: "detached" });
    await api("POST", `/v1/faxes/${id}/cancel`);
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
