// The server itself: version, health, disk, connections, and its log where the server gives it.
import { h, put } from "../lib/dom.js";
import { call, get, isAbort } from "../lib/api.js";
import { offers } from "../lib/access.js";
import { card, facts, heading, smallTable } from "../lib/parts.js";
import { metrics } from "../lib/metrics.js";
import { badge } from "../lib/words.js";
import { bytes, number, seconds, words } from "../lib/format.js";

const tones = { ok: ["good", "check"], degraded: ["warn", "warn"], draining: ["work", "clock"] };

async function gather(signal) {
  const [live, ready, figures] = await Promise.all([
    get("/health/live", null, signal),
    fetch("/health/ready", { cache: "no-store", signal }).then((reply) => reply.json()),
    metrics(signal),
  ]);
  const [log, system] = await Promise.all([
    offers("GET /v1/system/log")
      ? call("GET", "/v1/system/log", { query: { lines: 200 }, signal }).catch(() => null)
      : null,
    offers("GET /v1/system") ? call("GET", "/v1/system", { signal }).catch(() => null) : null,
  ]);
  return { live, ready, figures, log, system };
}

function storage(figures, system) {
  const disk = system && system.disk,
    store = system && system.store;
  return facts([
    ["Disk", disk && `${bytes(disk.free_bytes)} free of ${bytes(disk.total_bytes)}`],
    ["Database", store && `${bytes(store.database_bytes)}, its log ${bytes(store.log_bytes)}`],
    ["Encrypted", system && (system.encrypted ? "Yes, documents at rest" : "No")],
    ["Audit entries", system && number(system.counts.audit_entries)],
    [
      "Free for faxes",
      figures.value("faxd_storage_free_bytes") === undefined ? null : bytes(figures.value("faxd_storage_free_bytes")),
    ],
    ["Documents", `${number(figures.value("faxd_documents"))}, ${bytes(figures.value("faxd_documents_bytes") || 0)}`],
    ["Deleted so far", number(figures.value("faxd_purged_documents_total"))],
    ["Faxes on record", number(figures.sum("faxd_faxes"))],
  ]);
}

function web(figures) {
  return facts([
    ["Connections", number(figures.value("faxd_http_connections"))],
    ["Event streams", number(figures.value("faxd_http_event_streams"))],
    [
      "Replies",
      ["2xx", "3xx", "4xx", "5xx"]
        .map((kind) => `${kind} ${number(figures.sum("faxd_http_replies_total", (labels) => labels.class === kind))}`)
        .join(", "),
    ],
    ["Refused unread", number(figures.value("faxd_http_refused_total"))],
    ["Bodies under way", bytes(figures.value("faxd_http_body_bytes") || 0)],
  ]);
}

function draw(at, { live, ready, figures, log, system }) {
  const up = Date.now() / 1000 - figures.value("faxd_start_time_seconds"),
    providers = Object.entries((ready.checks && ready.checks.providers) || {});
  const open = at.querySelector("details")?.open;
  put(
    at,
    h(
      "div.cards",
      null,
      card(
        "Server",
        facts([
          ["State", badge(...(tones[ready.status] || ["off", "dot"]), ready.status)],
          ["Version", live.version],
          ["Runs for", seconds(up)],
          ["Disk", ready.checks && words(ready.checks.disk)],
          ["Undecided calls", ready.checks && number(ready.checks.undecided_calls)],
        ]),
      ),
      card("Storage", storage(figures, system)),
      card("HTTP", web(figures)),
      providers.length > 0 && card("Providers", facts(providers.map(([name, state]) => [name, words(state)]))),
    ),
    log && card("Log", h("pre", { tabindex: "0", "aria-label": "The end of the log" }, log.data.join("\n"))),
    h(
      "section.card",
      null,
      h(
        "details",
        { open },
        h("summary", null, "All figures"),
        smallTable(
          "Figures as /metrics gives them",
          [
            ["Name", (one) => h("code", null, one.name)],
            [
              "Of",
              (one) =>
                Object.entries(one.labels)
                  .map(([name, value]) => `${name} ${value}`)
                  .join(", "),
            ],
            ["Value", (one) => number(one.value), "num"],
          ],
          figures.names().flatMap((name) => figures.all(name)),
        ),
      ),
    ),
  );
}

export async function show(view, { signal }) {
  const at = h("div");
  draw(at, await gather(signal));
  put(view, heading("System"), at);
  const timer = setInterval(async () => {
    if (document.hidden || at.contains(document.activeElement)) return;
    try {
      draw(at, await gather(signal));
    } catch (error) {
      if (!isAbort(error)) clearInterval(timer);
    }
  }, 5000);
  signal.addEventListener("abort", () => clearInterval(timer));
}
