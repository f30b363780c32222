// SPDX-License-Identifier: GPL-2.0-or-later
// Faxes in the pages: from the empty server to the first one, sent, watched, held, canceled, received, passed on. In this order
// on one server, which is new at the first.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  api,
  bySession,
  close,
  document_,
  expects,
  fresh,
  go,
  has,
  idOf,
  keepSession,
  KEY,
  PASSWORD,
  ready,
  row,
  sendByApi,
  SETUP,
  signedIn,
  SIZES,
  status,
  until,
  URL,
  waitState,
} from "./browser.mjs";

export const facts = [];
const fact = (work) => facts.push(work);

const LONG = Array.from({ length: 400 }, (_, n) => `Line ${n + 1} of a text that takes several pages.`).join("\n");

// What a hand does, counted: a link opened, a thing typed, chosen or pressed is one action.
function hand(page) {
  let count = 0;
  return {
    count: () => count,
    open: async (address) => {
      count++;
      await page.goto(address);
    },
    type: async (label, text) => {
      count++;
      await page.getByLabel(label, { exact: true }).fill(text);
    },
    press: async (name) => {
      count++;
      await page.getByRole("button", { name, exact: true }).click();
    },
    choose: async (file) => {
      count++;
      await page.locator("input[type=file]").setInputFiles(file);
    },
  };
}

fact(async function from_nothing_a_first_fax_takes_at_most_six_actions() {
  const page = await fresh(),
    by = hand(page);
  await by.open(`${URL}/#setup=${SETUP}`); // as the server's start prints it
  await ready(page, "signin");
  await by.type("Password", PASSWORD);
  await by.press("Create and sign in");
  await ready(page, "send");
  await keepSession(page);
  // The page says what comes next, and a number that answers.
  await page.getByText("Send a first fax: a number, a document, Send.").waitFor();
  await page.getByText("1002").first().waitFor();
  await by.type("Fax number", "1002");
  await by.choose(document_("letter-cairo.pdf"));
  await by.press("Send");
  await ready(page, "fax");
  await waitState(idOf(page), "delivered");
  await status(page, "Delivered");
  assert.ok(by.count() <= 6, `it took ${by.count()} actions`);
  await close(page);
});

fact(async function the_door_tells_what_is_wrong_and_lets_in_who_is_right() {
  const page = await fresh("phone");
  expects(401);
  await page.goto(URL + "/");
  await ready(page, "signin");
  await page.getByLabel("Name", { exact: true }).fill("admin");
  await page.getByLabel("Password", { exact: true }).fill("not this one");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator(".form-fault:not([hidden])").waitFor();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await ready(page, "dashboard");
  await page.reload();
  await ready(page, "dashboard");
  await page.getByRole("button", { name: "Your account" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await ready(page, "signin");
  await page.reload();
  await ready(page, "signin");
  await close(page);
});

fact(async function an_api_key_opens_the_pages_as_well() {
  const page = await fresh();
  await page.goto(URL + "/");
  await ready(page, "signin");
  await page.getByText("Use an API key").click();
  await page.getByLabel("API key", { exact: true }).fill(KEY);
  await page.getByRole("button", { name: "Open with the key" }).click();
  await ready(page, "dashboard");
  await page.locator(".live", { hasText: "Live" }).waitFor();
  await close(page);
});

for (const size of Object.keys(SIZES)) {
  const sent = { id: null };

  fact(
    Object.defineProperty(
      async () => {
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
      },
      "name",
      { value: `on_a_${size}_a_PDF_is_sent_and_watched_until_it_is_delivered` },
    ),
  );

  fact(
    Object.defineProperty(
      async () => {
        const page = await signedIn("/inbox", size);
        const received = await until(
          async () =>
            (await api("GET", "/v1/faxes?direction=inbound&to=1003&limit=1")).data.find(
              (fax) => fax.status === "received",
            ),
          "the fax to come in",
        );
        await row(page, received.id).locator("img[src^=blob]").waitFor();
        await row(page, received.id).getByRole("link").first().click();
        await ready(page, "fax");
        await page.locator(".viewer img[src^=blob]").waitFor();
        const [file] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("button", { name: "Save PDF" }).click(),
        ]);
        const octets = readFileSync(await file.path());
        assert.equal(octets.subarray(0, 5).toString(), "%PDF-");
        assert.equal(file.suggestedFilename(), `${received.id}.pdf`);
        await page.getByRole("button", { name: "Larger" }).click();
        await page.locator(".viewer img[src^=blob]").waitFor();
        await close(page);
      },
      "name",
      { value: `on_a_${size}_a_received_fax_is_opened_in_the_inbox_and_its_PDF_saved` },
    ),
  );

  fact(
    Object.defineProperty(
      async () => {
        const page = await signedIn("/queue", size),
          id = await sendByApi("1002", LONG);
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
      },
      "name",
      { value: `on_a_${size}_a_fax_is_canceled_in_the_middle_of_its_pages` },
    ),
  );

  fact(
    Object.defineProperty(
      async () => {
        const page = await signedIn("/queue", size);
        const id = await sendByApi("1004", "Wait.\n", {
          not_before: new Date(Date.now() + 3600000).toISOString().replace(/\.\d+Z/, "Z"),
        });
        await row(page, id).locator(".badge", { hasText: "Scheduled" }).waitFor();
        const act = async (name) => {
          await row(page, id)
            .getByRole("button", { name: /^Actions/ })
            .click();
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
      },
      "name",
      { value: `on_a_${size}_a_fax_is_held_released_and_canceled_from_the_queue` },
    ),
  );
}

fact(async function hostile_texts_are_only_text() {
  const evil = `<img src=x onerror="alert(1)">`,
    page = await signedIn("/send");
  await page
    .locator("input[type=file]")
    .setInputFiles({ name: `${evil}.txt`.replaceAll("/", ""), mimeType: "text/plain", buffer: Buffer.from("Text.\n") });
  await page.locator(".files", { hasText: evil }).waitFor();
  const id = await sendByApi("1002", "Text.\n", {
    station_id: "<svg onload=x()>",
    client_reference: evil,
    tags: [evil],
    header: { text: evil },
    metadata: { [evil]: evil },
  });
  await waitState(id, "delivered");
  await go(page, `/faxes/${id}`);
  await page.locator(".facts dd", { hasText: evil }).first().waitFor();
  await page.getByText("History", { exact: true }).click();
  const received = await until(
    async () =>
      (await api("GET", "/v1/faxes?direction=inbound&to=1002&limit=5")).data.find(
        (fax) => fax.remote_station_id === "<svg onload=x()>" && fax.status === "received",
      ),
    "the fax with the hostile station id",
  );
  await go(page, `/faxes/${received.id}`);
  await page.locator(".facts dd", { hasText: "<svg onload=x()>" }).first().waitFor();
  for (const at of [
    "/inbox",
    "/queue",
    "/sent",
    "/",
    `/sent?tag=${encodeURIComponent(evil)}`,
    `/${encodeURIComponent(evil)}`,
    "/explorer?op=%3Cscript%3E",
  ]) {
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

const act = async (page, name) => {
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name, exact: true }).click();
};
const receivedOn = async (line) => {
  const id = await sendByApi(line, "For the inbox.\n"),
    sent = await waitState(id, "delivered");
  return until(
    async () =>
      (await api("GET", `/v1/faxes?direction=inbound&to=${line}&limit=5`)).data.find(
        (fax) => fax.status === "received" && fax.timing.created >= sent.timing.created,
      ),
    "the fax to come in",
  );
};

if (has("post", "/v1/faxes/{id}/read"))
  fact(async function a_received_fax_is_read_assigned_labelled_noted_and_junk() {
    const fax = await receivedOn("1004"),
      page = await signedIn("/inbox?view=unread");
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
    await row(page, fax.id)
      .getByRole("button", { name: /^Actions/ })
      .click();
    await page.getByRole("menuitem", { name: "Not junk" }).click();
    await row(page, fax.id).waitFor({ state: "detached" });
    await close(page);
  });

if (has("post", "/v1/faxes/{id}/forward"))
  fact(async function a_received_fax_is_forwarded_and_a_sent_one_sent_again() {
    const fax = await receivedOn("1003"),
      page = await signedIn(`/faxes/${fax.id}`);
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
    const not_before = new Date(Date.now() + 3600000).toISOString().replace(/\.\d+Z/, "Z"),
      id = await sendByApi("1004", "Wait.\n", { hold: true, not_before }),
      page = await signedIn(`/faxes/${id}`);
    await status(page, "On hold");
    await api("PATCH", `/v1/faxes/${id}`, { priority: "urgent" }); // by somebody else: the page follows
    await page.locator(".facts dd", { hasText: "urgent" }).waitFor();
    await act(page, "Priority and time");
    await page.getByLabel("Priority").selectOption("high");
    assert.match(await page.getByLabel("Not before").inputValue(), /T/);
    await page.getByLabel("Not before").fill("");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.locator(".facts dd", { hasText: "high" }).waitFor();
    assert.equal((await api("GET", `/v1/faxes/${id}`)).not_before, null);
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

if (has("post", "/v1/faxes/{id}/retry"))
  fact(async function what_may_have_arrived_in_an_earlier_call_is_tried_again_only_when_that_is_said() {
    const id = await sendByApi("9999", "Nobody.\n", { retry: { max_attempts: 1 } });
    await waitState(id, "failed");
    const page = await signedIn("/"),
      said = [];
    await page.route(`${URL}/v1/faxes/${id}`, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), status: "expired", delivery: "unconfirmed" } });
    });
    page.on("request", (request) => request.url().endsWith("/retry") && said.push(request.postDataJSON()));
    await go(page, `/faxes/${id}`);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: "Leave it" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.deepEqual(said, []);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: "Send them again" }).click();
    await until(async () => (await api("GET", `/v1/faxes/${id}/attempts`)).data.length > 1, "another call");
    assert.deepEqual(said, [{ confirm: true }]);
    await waitState(id, "failed");
    await page.unrouteAll({ behavior: "ignoreErrors" }); // one may be under way
    await close(page);
  });

if (has("post", "/v1/batches"))
  fact(async function the_faxes_of_a_batch_are_shown_and_no_others() {
    const batch = await api("POST", "/v1/batches", {
      documents: [{ text: "To all.\n" }],
      recipients: [{ to: "1002" }, { to: "1003" }],
      hold: true,
    });
    const faxes = async () => (await api("GET", `/v1/faxes?batch=${batch.id}&status=held`)).data.map((fax) => fax.id);
    const [first, second] = await until(async () => {
      const found = await faxes();
      return found.length === 2 && found;
    }, "the faxes of the batch");
    const page = await signedIn(`/queue?batch=${batch.id}`);
    await row(page, first).waitFor();
    const other = await sendByApi("1004", "Not of the batch.\n", { hold: true });
    await waitState(other, "held");
    // The page learns of them in this order.
    await api("POST", `/v1/faxes/${first}/cancel`);
    await row(page, first).waitFor({ state: "detached" });
    await row(page, second).waitFor();
    assert.equal(await row(page, other).count(), 0);
    await page.getByLabel("Status").selectOption("held");
    await page.waitForFunction(() => location.hash.includes("status=held"));
    assert.ok(page.url().includes(`batch=${batch.id}`), page.url());
    await page.reload();
    await ready(page, "faxes");
    await row(page, second).waitFor();
    assert.equal(await row(page, other).count(), 0);
    // Without the batch it is there.
    await page.getByLabel("Batch", { exact: true }).fill("");
    await row(page, other).waitFor();
    await api("POST", `/v1/faxes/${other}/cancel`);
    await api("POST", `/v1/batches/${batch.id}/cancel`);
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
    assert.equal(
      readFileSync(await file.path())
        .subarray(0, 5)
        .toString(),
      "%PDF-",
    );
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
