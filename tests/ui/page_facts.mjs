// SPDX-License-Identifier: GPL-2.0-or-later
// Every page there is: all of its parts are served, and nobody is kept out of it.
import assert from "node:assert/strict";
import {
  api,
  close,
  firstUser,
  fresh,
  go,
  has,
  inaccessible,
  PASSWORD,
  ready,
  RECEIVER,
  sendByApi,
  signedIn,
  URL,
  waitState,
} from "./browser.mjs";

export const facts = [];
const fact = (work) => facts.push(work);

fact(async function every_module_that_is_imported_is_served() {
  const seen = new Set(),
    look = async (at) => {
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

// Something in each list, so that no page is looked at empty.
fact(async function every_list_has_something_to_show() {
  await firstUser();
  await waitState(
    await sendByApi("1002", "A page.\n", { tags: ["referral"], client_reference: "enc-7781" }),
    "delivered",
  );
  await waitState(await sendByApi("9999", "Nobody.\n", { retry: { max_attempts: 1 } }), "failed");
  await sendByApi("1003", "Held.\n", { hold: true });
  await api("POST", "/v1/webhook-endpoints", { url: RECEIVER + "/seen" });
  await api("POST", "/v1/users", { name: "reader", role: "reader", password: PASSWORD });
  for (const [at, body] of [
    ["/v1/contacts", { name: "Lakeside Clinic", number: "+13125550123" }],
    ["/v1/groups", { name: "Practices" }],
    ["/v1/identities", { name: "Billing", number: "+13125550100" }],
    [
      "/v1/rules/block",
      { direction: "inbound", action: "deny", kind: "prefix", value: "+1900", reason: "advertising" },
    ],
    ["/v1/routes/outbound", { name: "Overseas", prefix: "+44", groups: ["default"] }],
    ["/v1/routes/inbound", { name: "All", methods: [{ type: "inbox", labels: ["new"] }] }],
    [
      "/v1/cover-pages",
      { name: "ours", template: '<svg xmlns="http://www.w3.org/2000/svg"><text y="50">{{note}}</text></svg>' },
    ],
    ["/v1/batches", { documents: [{ text: "To all.\n" }], recipients: [{ to: "1002" }, { to: "1003" }] }],
  ])
    if (has("post", at)) await api("POST", at, body);
});

const everyPage = async () => {
  const newest = async (query) => (await api("GET", `/v1/faxes?limit=1&${query}`)).data[0].id;
  const page = await signedIn("/");
  const menu = await page
    .locator("nav.side a")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href").slice(1)));
  await close(page);
  assert.ok(menu.length >= 11, `only ${menu.length} pages in the menu`);
  return [
    ...menu,
    `/faxes/${await newest("direction=inbound")}`,
    `/faxes/${await newest("direction=outbound")}`,
    "/nowhere",
    `/webhooks/${(await api("GET", "/v1/webhook-endpoints")).data[0].id}`,
    "/contacts?view=groups",
    "/rules?view=outbound",
    "/rules?view=inbound",
    "/account",
  ];
};

for (const [size, scheme] of [
  ["desktop", "light"],
  ["desktop", "dark"],
  ["phone", "light"],
  ["phone", "dark"],
])
  fact(
    Object.defineProperty(
      async () => {
        const found = [],
          door = await fresh(size, scheme);
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
      },
      "name",
      { value: `no_page_has_a_serious_fault_of_access_on_a_${size}_in_${scheme}` },
    ),
  );

fact(async function dialogs_and_menus_have_no_serious_fault_of_access() {
  const page = await signedIn("/keys"),
    found = [];
  const look = async (what) => found.push(...(await inaccessible(page)).map((text) => `${what}: ${text}`));
  await page.getByRole("button", { name: "Make a key" }).first().click();
  await page.locator("dialog[open]").waitFor();
  await look("the dialog of a new key");
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Make a key/, "the focus comes back");
  await page
    .locator("tbody")
    .getByRole("button", { name: /^Actions/ })
    .first()
    .click();
  await look("a menu");
  await page.keyboard.press("Escape");
  const [fax] = (await api("GET", "/v1/faxes?limit=1&direction=outbound&status=delivered")).data;
  await go(page, `/faxes/${fax.id}`);
  await page.getByRole("button", { name: "What was said" }).first().click();
  await page.locator("dialog .ladder").waitFor();
  await look("the picture of a call");
  await page.keyboard.press("Escape");
  await go(page, "/covers");
  await page.getByRole("button", { name: "Add a cover page" }).first().click();
  await page.locator(".cover-trial img").waitFor();
  await page.getByText("How a template is written").click();
  await page.getByText("Try it with other texts").click();
  await look("the dialog of a cover page");
  await page.keyboard.press("Escape");
  await go(page, "/rules?view=inbound");
  await page.getByRole("button", { name: "Add a rule" }).first().click();
  await page.getByText("More conditions").click();
  await page.getByRole("button", { name: "Another way" }).click();
  await look("the dialog of a rule for received faxes");
  await page.keyboard.press("Escape");
  await go(page, "/send");
  await page.getByText("Time, sender and other options").click();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.locator("[data-pointer='/to'] .fault:not([hidden])").waitFor();
  await look("a form with faults");
  assert.deepEqual(found, []);
  await close(page);
});
