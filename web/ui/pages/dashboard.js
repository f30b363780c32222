// The overview: what waits, what is in a call, what went wrong today, and whether the server is well.
import { h, lazily, put } from "../lib/dom.js";
import { call, get, isAbort, part } from "../lib/api.js";
import { exists, offers } from "../lib/access.js";
import { follow } from "../lib/stream.js";
import { metrics } from "../lib/metrics.js";
import { card, empty, heading, link } from "../lib/parts.js";
import { fault } from "../lib/dialog.js";
import { columns } from "../lib/plot.js";
import { bytes, number, percent, seconds, timeText, when, words } from "../lib/format.js";
import { lineCard } from "../lib/lines_view.js";
import { ACTIVE, peerOf, reasonText, statusBadge } from "../lib/words.js";

const figure = (value, text, href, kind = "") => h(href ? "a.figure" : "div.figure", { href, class: kind }, h("b", null, value), h("span", null, text));

async function ready() {
  const reply = await fetch("/health/ready", { cache: "no-store" });
  return reply.json();
}

function alarms(state, lines) {
  const list = [];
  if (state.status === "draining") list.push("The server is being shut down: running calls end, no new ones begin.");
  if (state.checks && state.checks.disk === "full") list.push("The disk is full: no new fax is taken until there is room.");
  for (const [name, is] of Object.entries((state.checks && state.checks.providers) || {})) if (is !== "up" && is !== "ready" && is !== "running") list.push(`Provider ${name} is ${words(is)}.`);
  for (const line of lines) {
    if (["down", "lost", "unavailable"].includes(line.state)) list.push(`Line ${line.number || line.name} is ${line.state}${line.reason ? ": " + line.reason : ""}.`);
    if (line.device && line.device.state !== "up") list.push(`The device of line ${line.number || line.name} is ${line.device.state}${line.device.reason ? ": " + line.device.reason : ""}.`);
  }
  return list;
}

const faxItem = (fax) => h("li", null, h("span.grow", null, h("a", { href: `#/faxes/${part(fax.id)}` }, peerOf(fax)), h("br"), h("small", null, reasonText(fax))), statusBadge(fax.status), h("small", null, when(fax.timing && fax.timing.created)));

function faxList(title, list, none, more) {
  return card(title, list.length ? h("ul.plain-list", null, list.map(faxItem)) : h("p.hint", null, none), more && list.length > 0 && h("p", null, h("a", { href: more }, "See all")));
}

async function today(signal) {
  if (!offers("GET /v1/reports/usage")) return null;
  const from = new Date();
  from.setHours(0, 0, 0, 0);
  const to = new Date(from.getTime() + 86400000);
  const range = { from: from.toISOString(), to: to.toISOString() };
  const [hours, providers, errors] = await Promise.all(["hour", "provider", "error"].map((group_by) => get("/v1/reports/usage", { ...range, group_by }, signal).then((reply) => reply.data, () => [])));
  return { hours, providers, errors };
}

function todayCards(day) {
  if (!day) return null;
  const hour = (one) => (/^\d{4}-/.test(one.key) ? timeText(one.key) : one.key);
  return h("div.cards", null,
    card("Today", day.hours.length ? columns("Faxes by hour", day.hours.map((one) => ({ ...one, label: hour(one) })), [
      { label: "delivered", kind: "good", value: (one) => one.delivered }, { label: "failed", kind: "bad", value: (one) => one.failed }, { label: "received", kind: "work", value: (one) => one.received },
    ]) : h("p.hint", null, "No fax yet today.")),
    card("Success by provider, today", day.providers.length ? h("ul.plain-list", null, day.providers.map((one) => h("li", null, h("span.grow", null, one.key || "none"), h("span", null, one.sent ? percent(one.delivered / one.sent) : "–"), h("small", null, `${number(one.sent)} sent`)))) : h("p.hint", null, "Nothing was sent today."),
      h("h3", null, "What went wrong most"),
      day.errors.filter((one) => one.key && one.failed).length ? h("ul.plain-list", null, day.errors.filter((one) => one.key && one.failed).sort((a, b) => b.failed - a.failed).slice(0, 5).map((one) => h("li", null, h("span.grow", null, words(one.key)), h("span", null, number(one.failed))))) : h("p.hint", null, "Nothing failed.")));
}

async function faxesOf(query, signal) {
  return (await get("/v1/faxes", query, signal)).data;
}

function countOf(figures, states, direction) {
  return figures.sum("faxd_faxes", (labels) => labels.direction === direction && states.includes(labels.state));
}

async function gather(signal) {
  const [state, lines, figures, waiting, failed, board, day] = await Promise.all([
    ready(), get("/v1/lines", null, signal).then((reply) => reply.data), metrics(signal),
    faxesOf({ direction: "outbound", status: ACTIVE.join(","), limit: 6 }, signal), faxesOf({ status: "failed,expired,unconfirmed,partially_delivered", limit: 6 }, signal),
    exists("GET /v1/dashboard") ? call("GET", "/v1/dashboard", { signal }).catch(() => null) : null, today(signal),
  ]);
  return { state, lines, figures, waiting, failed, board, day };
}

function figuresOf(all) {
  const { figures } = all;
  const waiting = countOf(figures, ["queued", "scheduled", "held", "preparing"], "outbound"), busy = all.lines.filter((line) => line.state === "busy").length;
  const oldest = all.board && all.board.queue && all.board.queue.oldest_s;
  return h("div.figures", null,
    figure(number(waiting), oldest ? `waiting, the oldest for ${seconds(oldest)}` : "waiting to be sent", "#/queue"),
    figure(`${busy} of ${all.lines.length}`, "lines in a call", "#/lines"),
    figure(number(countOf(figures, ["delivered"], "outbound")), "delivered, of all on record", "#/sent?status=delivered"),
    figure(number(countOf(figures, ["failed", "expired"], "outbound")), "failed, of all on record", "#/sent?status=failed", countOf(figures, ["failed", "expired"], "outbound") ? "warn" : ""),
    figure(number(countOf(figures, ["received", "partially_received", "routed", "route_failed"], "inbound")), "received, on record", "#/inbox"),
    figure(figures.value("faxd_storage_free_bytes") === undefined ? "–" : bytes(figures.value("faxd_storage_free_bytes")), "left on the disk", "#/system", figures.value("faxd_store_has_room") === 0 ? "bad" : ""));
}

export async function show(view, { signal }) {
  const at = h("div"), update = lazily(async () => {
    if (signal.aborted) return;
    try { draw(await gather(signal)); } catch (error) { if (!isAbort(error)) fault(error); }
  }, 700);
  const draw = (all) => {
    const notes = alarms(all.state, all.lines), total = all.figures.sum("faxd_faxes");
    put(at, notes.length > 0 && h("div.note.tone-warn", { role: "alert" }, h("strong", null, "Needs a look"), h("ul", null, notes.map((text) => h("li", null, text)))),
      total === 0 ? card("Nothing here yet", empty("No fax was sent or received so far.", "Send one, and watch it go.", offers("POST /v1/faxes") && h("a.button.primary", { href: "#/send?welcome=1" }, "Send a first fax"))) : figuresOf(all),
      card("Lines", all.lines.length ? h("ul.lines", null, all.lines.slice(0, 12).map((line) => lineCard(line, update, { tools: false }))) : h("p.hint", null, "No lines are configured."), all.lines.length > 12 && link("#/lines", `All ${all.lines.length} lines`)),
      total > 0 && todayCards(all.day),
      total > 0 && h("div.cards", null,
        faxList("On the way", all.waiting, "Nothing is waiting.", "#/queue"),
        faxList("Needs a look", all.failed, "Nothing has failed.", "#/sent?status=failed")));
  };
  put(view, heading("Overview", offers("POST /v1/faxes") && h("a.button.primary", { href: "#/send" }, "Send a fax")), at);
  draw(await gather(signal));
  follow(() => update(), signal);
  const timer = setInterval(() => { if (!document.hidden) update(); }, 5000);
  signal.addEventListener("abort", () => clearInterval(timer));
}
