// The overview: what waits, what is in a call, what went wrong today, and whether the server is well.
import { h, lazily, put } from "../lib/dom.js";
import { get, isAbort, part } from "../lib/api.js";
import { offers } from "../lib/access.js";
import { follow } from "../lib/stream.js";
import { metrics } from "../lib/metrics.js";
import { card, empty, heading, link } from "../lib/parts.js";
import { fault } from "../lib/dialog.js";
import { bars, columns } from "../lib/plot.js";
import { bytes, number, percent, seconds, timeText, when, words } from "../lib/format.js";
import { lineCard } from "../lib/lines_view.js";
import { ACTIVE, peerOf, reasonText, statusBadge } from "../lib/words.js";

const figure = (value, text, href, kind = "") =>
  h(href ? "a.figure" : "div.figure", { href, class: kind }, h("b", null, value), h("span", null, text));

async function ready() {
  const reply = await fetch("/health/ready", { cache: "no-store" });
  return reply.json();
}

// What needs somebody, in sentences: as the server says it, or as it shows in lines and health.
function alarms({ state, lines, board }) {
  if (board) return board.alarms.map((one) => one.message);
  const list = [];
  if (state.status === "draining") list.push("The server is being shut down: running calls end, no new ones begin.");
  if (state.checks && state.checks.disk === "full")
    list.push("The disk is full: no new fax is taken until there is room.");
  for (const [name, is] of Object.entries((state.checks && state.checks.providers) || {}))
    if (is !== "up") list.push(`Provider ${name} is ${words(is)}.`);
  for (const line of lines) {
    if (["down", "lost", "unavailable"].includes(line.state))
      list.push(`Line ${line.number || line.name} is ${line.state}${line.reason ? ": " + line.reason : ""}.`);
    if (line.device && line.device.state !== "up")
      list.push(
        `The device of line ${line.number || line.name} is ${line.device.state}${line.device.reason ? ": " + line.device.reason : ""}.`,
      );
  }
  return list;
}

const faxItem = (fax) =>
  h(
    "li",
    null,
    h(
      "span.grow",
      null,
      h("a", { href: `#/faxes/${part(fax.id)}` }, peerOf(fax)),
      h("br"),
      h("small", null, reasonText(fax)),
    ),
    statusBadge(fax.status),
    h("small", null, when(fax.timing && fax.timing.created)),
  );

function faxList(title, list, none, more) {
  return card(
    title,
    list.length ? h("ul.plain-list", null, list.map(faxItem)) : h("p.hint", null, none),
    more && list.length > 0 && h("p", null, h("a", { href: more }, "See all")),
  );
}

const success = (one) => (one.sent ? percent(one.delivered / one.sent) : "–");

// Today by the hour, where reports are for this reader.
async function hoursOf(signal) {
  if (!offers("GET /v1/reports/usage")) return [];
  const from = new Date();
  from.setMinutes(0, 0, 0);
  const range = {
    from: new Date(from - 23 * 3600000).toISOString(),
    to: new Date(from.getTime() + 3600000).toISOString(),
    group_by: "hour",
  };
  return (await get("/v1/reports/usage", range, signal).catch(() => ({ data: [] }))).data;
}

const ageText = (age, before) =>
  age.up_to_s === null ? `longer than ${seconds(before)}` : `up to ${seconds(age.up_to_s)}`;

function queueCard(board) {
  const ages = board.queue.ages,
    any = ages.some((age) => age.count > 0);
  return card(
    "Waiting for a line, by age",
    any
      ? bars(
          "Faxes",
          ages.map((age, at) => ({ ...age, label: ageText(age, at ? ages[at - 1].up_to_s : 0) })),
          [{ label: "waiting", kind: "wait", value: (one) => one.count }],
        )
      : h("p.hint", null, "Nothing waits for a line."),
    board.queue.held > 0 &&
      h("p.hint", null, h("a", { href: "#/queue?status=held" }, `${number(board.queue.held)} on hold`)),
    board.queue.scheduled > 0 &&
      h("p.hint", null, h("a", { href: "#/queue?status=scheduled" }, `${number(board.queue.scheduled)} scheduled`)),
  );
}

function todayCards({ board, hours }) {
  if (!board) return null;
  const { providers, errors } = board.today;
  return [
    hours.length > 0 &&
      h(
        "section.card",
        null,
        columns(
          "The last 24 hours",
          hours.map((one) => ({ ...one, label: timeText(one.key), short: timeText(one.key).slice(-8) })),
          [
            { label: "delivered", kind: "good", value: (one) => one.delivered },
            { label: "failed", kind: "bad", value: (one) => one.failed },
            { label: "received", kind: "work", value: (one) => one.received },
          ],
          { width: 1000, height: 160 },
        ),
      ),
    h(
      "div.cards",
      null,
      queueCard(board),
      card(
        "Success by provider, today",
        providers.length
          ? h(
              "ul.plain-list",
              null,
              providers.map((one) =>
                h(
                  "li",
                  null,
                  h("span.grow", null, one.key || "none"),
                  h("strong", null, success(one)),
                  h("small", null, `of ${number(one.sent)} sent`),
                ),
              ),
            )
          : h("p.hint", null, "Nothing was sent today."),
        h("h3", null, "What went wrong most, today"),
        errors.length
          ? h(
              "ul.plain-list",
              null,
              errors
                .slice(0, 5)
                .map((one) =>
                  h("li", null, h("span.grow", null, words(one.code)), h("strong", null, number(one.count))),
                ),
            )
          : h("p.hint", null, "Nothing."),
      ),
    ),
  ];
}

async function faxesOf(query, signal) {
  return (await get("/v1/faxes", query, signal)).data;
}

function countOf(figures, states, direction) {
  return figures.sum("faxd_faxes", (labels) => labels.direction === direction && states.includes(labels.state));
}

async function gather(signal) {
  const [state, lines, figures, waiting, failed, board, hours] = await Promise.all([
    ready(),
    get("/v1/lines", null, signal).then((reply) => reply.data),
    metrics(signal),
    faxesOf({ direction: "outbound", status: ACTIVE.join(","), limit: 6 }, signal),
    faxesOf({ status: "failed,expired,unconfirmed,partially_delivered", limit: 6 }, signal),
    offers("GET /v1/dashboard") ? get("/v1/dashboard", null, signal) : null,
    hoursOf(signal),
  ]);
  return { state, lines, figures, waiting, failed, board, hours };
}

function figuresOf({ figures, lines, board }) {
  const waiting = board
    ? board.queue.queued + board.queue.preparing
    : countOf(figures, ["queued", "scheduled", "held", "preparing"], "outbound");
  const busy = lines.filter((line) => line.state === "busy").length,
    day = board && board.today.totals;
  const delivered = day ? day.delivered : countOf(figures, ["delivered"], "outbound"),
    failed = day ? day.failed : countOf(figures, ["failed", "expired"], "outbound");
  const received = day
      ? day.received
      : countOf(figures, ["received", "partially_received", "routed", "route_failed"], "inbound"),
    span = day ? "today" : "of all on record";
  return h(
    "div.figures",
    null,
    figure(number(waiting), "waiting to be sent", "#/queue"),
    figure(`${busy} of ${lines.length}`, "lines in a call", "#/lines"),
    figure(number(delivered), `delivered, ${span}`, "#/sent?status=delivered"),
    figure(number(failed), `failed, ${span}`, "#/sent?status=failed", failed ? "warn" : ""),
    figure(number(received), `received, ${span}`, "#/inbox"),
    figures.value("faxd_storage_free_bytes") !== undefined &&
      figure(
        bytes(figures.value("faxd_storage_free_bytes")),
        "left on the disk",
        offers("GET /v1/system") ? "#/system" : null,
        figures.value("faxd_store_has_room") === 0 ? "bad" : "",
      ),
  );
}

export async function show(view, { signal }) {
  const at = h("div"),
    update = lazily(async () => {
      if (signal.aborted) return;
      try {
        draw(await gather(signal));
      } catch (error) {
        if (!isAbort(error)) fault(error);
      }
    }, 700);
  const draw = (all) => {
    const notes = alarms(all),
      total = all.figures.sum("faxd_faxes");
    put(
      at,
      notes.length > 0 &&
        h(
          "div.note.tone-warn",
          { role: "alert" },
          h("strong", null, "Needs a look"),
          h(
            "ul",
            null,
            notes.map((text) => h("li", null, text)),
          ),
        ),
      total === 0
        ? card(
            "Nothing here yet",
            empty(
              "No fax was sent or received so far.",
              "Send one, and watch it go.",
              offers("POST /v1/faxes") && h("a.button.primary", { href: "#/send?welcome=1" }, "Send a first fax"),
            ),
          )
        : figuresOf(all),
      card(
        "Lines",
        all.lines.length
          ? h(
              "ul.lines",
              null,
              all.lines.slice(0, 12).map((line) => lineCard(line, update, { tools: false })),
            )
          : h("p.hint", null, "No lines are configured."),
        all.lines.length > 12 && link("#/lines", `All ${all.lines.length} lines`),
      ),
      total > 0 && todayCards(all),
      total > 0 &&
        h(
          "div.cards",
          null,
          faxList("On the way", all.waiting, "Nothing is waiting.", "#/queue"),
          faxList("Needs a look", all.failed, "Nothing has failed.", "#/sent?status=failed"),
        ),
    );
  };
  put(
    view,
    heading("Overview", offers("POST /v1/faxes") && h("a.button.primary", { href: "#/send" }, "Send a fax")),
    at,
  );
  draw(await gather(signal));
  follow(() => update(), signal);
  const timer = setInterval(() => {
    if (!document.hidden) update();
  }, 5000);
  signal.addEventListener("abort", () => clearInterval(timer));
}
