// The start page: lines and the newest faxes, kept true by the event stream. Plain DOM, text only, nothing third-party.
"use strict";

const SHOWN = 50;
const GOOD = ["delivered", "received", "routed"];
const BAD = ["failed", "expired", "unconfirmed", "partially_delivered", "partially_received", "route_failed", "rejected"];
const WORKING = ["dialing", "negotiating", "sending", "ringing", "receiving", "canceling", "preparing"];

const at = (id) => document.getElementById(id);
const faxes = new Map(); // id -> fax, newest first when drawn
let key = sessionStorage.getItem("faxd-key");
let stopped = new AbortController();
let lastEvent = "";

async function api(path, options = {}) {
  const headers = { ...(options.headers || {}), Authorization: "Bearer " + key };
  const reply = await fetch(path, { ...options, headers, cache: "no-store" });
  if (!reply.ok) {
    const problem = await reply.json().catch(() => ({}));
    const error = new Error(problem.detail || reply.statusText);
    error.status = reply.status;
    throw error;
  }
  return reply;
}

function cell(row, text, kind) {
  const td = row.insertCell();
  td.textContent = text;
  if (kind) td.className = kind;
}

function kindOf(status) {
  if (GOOD.includes(status)) return "good";
  if (BAD.includes(status)) return "bad";
  return WORKING.includes(status) ? "work" : "";
}

function drawFaxes() {
  const body = at("faxes");
  const newest = [...faxes.values()].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, SHOWN);
  faxes.clear();
  newest.forEach((fax) => faxes.set(fax.id, fax));
  body.replaceChildren();
  for (const fax of newest) {
    const row = body.insertRow();
    const pages = fax.pages || {};
    const inbound = fax.direction === "inbound";
    cell(row, fax.timing && fax.timing.created ? new Date(fax.timing.created).toLocaleString() : "");
    cell(row, inbound ? "in" : "out");
    cell(row, (inbound ? fax.from : fax.to) || "unknown");
    cell(row, fax.status.replaceAll("_", " "), kindOf(fax.status));
    cell(row, (pages.confirmed || 0) + (pages.total === null || pages.total === undefined ? "" : " / " + pages.total));
    cell(row, String(fax.attempts ?? ""));
    cell(row, fax.error ? fax.error.message || fax.error.code : "");
  }
  at("faxes-none").hidden = newest.length > 0;
}

function drawLines(lines) {
  const list = at("lines");
  list.replaceChildren();
  for (const line of lines) {
    const item = document.createElement("li");
    const name = document.createElement("strong");
    const state = document.createElement("span");
    const off = [line.send_enabled === false && "sending", line.receive_enabled === false && "receiving"].filter(Boolean);
    item.className = line.state || "";
    name.textContent = line.number || line.name || line.id;
    state.textContent = (line.state || "") + (line.call && line.call.peer ? " with " + line.call.peer : "") +
      (off.length ? ", " + off.join(" and ") + " off" : "");
    item.append(name, state);
    list.append(item);
  }
  at("lines-none").hidden = lines.length > 0;
}

// Many events of one moment ask for one look.
function later(work, ms) {
  let waiting = null;
  return () => {
    waiting ??= setTimeout(() => { waiting = null; work().catch(() => {}); }, ms);
  };
}
const lookAtLines = later(async () => drawLines((await (await api("/v1/lines")).json()).data), 300);
const changed = new Set();
const lookAtChanged = later(async () => {
  const ids = [...changed].slice(0, SHOWN);
  changed.clear();
  for (const id of ids) {
    const fax = await (await api("/v1/faxes/" + encodeURIComponent(id))).json();
    faxes.set(fax.id, fax);
  }
  drawFaxes();
}, 200);

function onEvent(text) {
  const event = JSON.parse(text);
  if (event.data && event.data.id && /^(fax|inbound)\./.test(event.type)) {
    changed.add(event.data.id);
    lookAtChanged();
  }
  lookAtLines();
}

// fetch, not EventSource: that one cannot send the key in a header, and a key in an address ends in logs.
async function follow() {
  const headers = { Accept: "text/event-stream" };
  if (lastEvent) headers["Last-Event-ID"] = lastEvent;
  const reply = await api("/v1/events/stream", { headers, signal: stopped.signal });
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  at("live").textContent = "Live.";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = block.split("\n");
      const data = fields.filter((f) => f.startsWith("data: ")).map((f) => f.slice(6)).join("\n");
      const id = fields.find((f) => f.startsWith("id: "));
      if (id) lastEvent = id.slice(4);
      if (data) onEvent(data);
    }
  }
}

async function keepFollowing() {
  const signal = stopped.signal;
  while (!signal.aborted) {
    try {
      await follow();
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401) return forget("The key is not valid any more.");
    }
    at("live").textContent = "Connection lost, trying again\u2026";
    await new Promise((done) => setTimeout(done, 2000));
    await load().catch(() => {});
  }
}

async function load() {
  const page = await (await api("/v1/faxes?limit=" + SHOWN)).json();
  faxes.clear();
  page.data.forEach((fax) => faxes.set(fax.id, fax));
  drawFaxes();
  drawLines((await (await api("/v1/lines")).json()).data);
}

function forget(why) {
  stopped.abort();
  key = null;
  sessionStorage.removeItem("faxd-key");
  faxes.clear();
  at("desk").hidden = at("leave").hidden = true;
  at("entry").hidden = false;
  at("key-fault").textContent = why || "";
  at("key-fault").hidden = !why;
  at("key").focus();
}

async function open() {
  try {
    await load();
  } catch (error) {
    forget(error.status === 401 ? "The server does not know this key." : error.message);
    return;
  }
  sessionStorage.setItem("faxd-key", key);
  at("entry").hidden = true;
  at("desk").hidden = at("leave").hidden = false;
  stopped = new AbortController();
  keepFollowing();
}

async function health() {
  try {
    const reply = await fetch("/health/ready", { cache: "no-store" });
    const state = await reply.json();
    at("health").textContent = "Server: " + state.status;
    at("health").className = state.status === "ok" ? "good" : "bad";
  } catch {
    at("health").textContent = "Server: no answer";
    at("health").className = "bad";
  }
}

at("origin").textContent = location.origin;
at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = at("key").value.trim();
  at("key").value = "";
  open();
});
at("leave").addEventListener("click", () => forget());
health();
setInterval(health, 15000);
if (key) open();
