// One fax: its pages to look at, what became of it call by call, and all that is on record. Kept true by events.
import { announce, h, lazily, put } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { get, getAll, isAbort, part, post } from "../lib/api.js";
import { offers } from "../lib/access.js";
import { follow } from "../lib/stream.js";
import { fault, menuButton } from "../lib/dialog.js";
import { button, card, doing, facts, heading, loaded, smallTable } from "../lib/parts.js";
import { number, plural, seconds, when, words } from "../lib/format.js";
import { actionsOf, refreshed } from "../lib/actions.js";
import { eventText, hintText, IN_CALL, pagesText, peerOf, reasonText, statusBadge, statusLabel } from "../lib/words.js";
import { viewer } from "../lib/viewer.js";
import { routeDeliveries } from "../lib/deliveries_view.js";
import { inboxTools } from "../lib/inbox_tools.js";
import { openTrace } from "../lib/trace.js";

// --- calls ---

const toneOf = (attempt) => (!attempt.ended_at ? "work" : attempt.error ? "bad" : "good");

function howItSpoke(attempt) {
  const transport = attempt.transport || {};
  return [
    transport.mode && words(transport.mode).toUpperCase().replace("T38", "T.38"),
    transport.modem && transport.modem.toUpperCase(),
    transport.rate_bps && `${number(transport.rate_bps)} bit/s`,
    transport.ecm === true ? "error correction" : transport.ecm === false ? "no error correction" : null,
    transport.compression && String(transport.compression).toUpperCase(),
    transport.resolution && words(transport.resolution),
    transport.bad_lines ? plural(transport.bad_lines, "bad row") : null,
  ]
    .filter(Boolean)
    .join(", ");
}

function attemptItem(fax, attempt) {
  const length =
    attempt.connected_at && attempt.ended_at
      ? (new Date(attempt.ended_at) - new Date(attempt.connected_at)) / 1000
      : null;
  const result = !attempt.ended_at
    ? "Under way"
    : attempt.error
      ? attempt.error.message || words(attempt.error.code)
      : attempt.outcome
        ? "All went well"
        : "Ended";
  return h(
    "li",
    { class: toneOf(attempt) },
    h("div.row", null, h("strong", null, `Call ${attempt.number}`), when(attempt.started_at, { seconds: true })),
    h("p", null, result),
    attempt.error && attempt.error.hint && h("p.hint", null, attempt.error.hint),
    h(
      "p.hint",
      null,
      [
        attempt.line && `line ${attempt.line}`,
        attempt.trunk && `trunk ${attempt.trunk}`,
        plural(attempt.pages_confirmed || 0, "page") + " confirmed",
        length !== null && seconds(length),
        attempt.remote_station_id && `answered as ${attempt.remote_station_id}`,
      ]
        .filter(Boolean)
        .join(" · "),
    ),
    howItSpoke(attempt) && h("p.hint", null, howItSpoke(attempt)),
    attempt.frames_link &&
      button(
        "What was said",
        doing(() => openTrace(fax, attempt)),
        { picture: "chart" },
      ),
  );
}

async function callsOf(fax, signal) {
  const { data } = await get(`/v1/faxes/${part(fax.id)}/attempts`, null, signal);
  if (!data.length) return h("p.hint", null, fax.direction === "outbound" ? "No call yet." : "No call on record.");
  return h(
    "ol.timeline",
    { "aria-label": "Calls, the newest first" },
    data
      .slice()
      .reverse()
      .map((attempt) => attemptItem(fax, attempt)),
  );
}

// --- the record ---

function aboutFax(fax) {
  const timing = fax.timing || {};
  const sender = fax.direction === "inbound";
  return facts([
    [sender ? "From" : "To", peerOf(fax)],
    [sender ? "To" : "From", sender ? fax.to : fax.from],
    ["Their station id", fax.remote_station_id],
    ["Our station id", fax.local_station_id],
    ["Pages", pagesText(fax)],
    ["Line", fax.line],
    [sender ? "Came" : "Accepted", when(timing.created)],
    ["Connected", timing.connected && when(timing.connected)],
    ["Ended", timing.ended && when(timing.ended)],
    ["On the line", timing.billed_s ? seconds(timing.billed_s) : null],
    ["Not before", fax.not_before && !timing.ended ? when(fax.not_before) : null],
    ["Gives up at", fax.expires_at && !timing.ended ? when(fax.expires_at) : null],
    ["Priority", sender || fax.priority === "normal" ? null : fax.priority],
    ["Calls", sender || !fax.calls ? null : `${fax.calls}${fax.max_attempts ? `, at most ${fax.max_attempts}` : ""}`],
    ["Reference", fax.client_reference],
    [
      "Tags",
      fax.tags && fax.tags.length
        ? h(
            "span.chips",
            null,
            fax.tags.map((tag) => h("span.chip", null, tag)),
          )
        : null,
    ],
    ["Test", fax.test ? "Yes: no call is placed" : null],
    ["Sent again from", fax.resent_from && h("a", { href: `#/faxes/${part(fax.resent_from)}` }, fax.resent_from)],
    ["Batch", fax.batch && h("a", { href: `#/batches/${part(fax.batch)}` }, fax.batch)],
    ["Id", h("code", null, fax.id)],
    [
      "Fingerprint",
      fax.document_sha256 && h("code", { title: "SHA-256 of its pages" }, fax.document_sha256.slice(0, 16) + "…"),
    ],
    ...Object.entries(fax.metadata || {}).map(([name, value]) => [name, String(value)]),
  ]);
}

async function historyOf(fax, signal) {
  const { data } = await get(`/v1/faxes/${part(fax.id)}/events`, { limit: 200 }, signal);
  if (!data.length) return h("p.hint", null, "Nothing on record; events are kept for 30 days.");
  return h(
    "ol.timeline",
    null,
    data.map((event) =>
      h(
        "li",
        null,
        h("div.row", null, h("span", null, eventText(event.type)), when(event.timestamp, { seconds: true })),
      ),
    ),
  );
}

async function deliveriesOf(fax, signal) {
  const { data } = await get("/v1/webhook-endpoints", null, signal);
  const events = await getAll(`/v1/faxes/${part(fax.id)}/events`, {}, signal);
  const own = new Set(events.map((event) => event.sequence)),
    found = [];
  for (const endpoint of data.slice(0, 10)) {
    const page = await get(`/v1/webhook-endpoints/${part(endpoint.id)}/deliveries`, { limit: 200 }, signal);
    for (const one of page.data) if (own.has(one.sequence)) found.push({ ...one, endpoint });
  }
  if (!data.length)
    return h(
      "p.hint",
      null,
      "No webhooks are set up. ",
      h("a", { href: "#/webhooks" }, "Add one"),
      " to be told of every fax.",
    );
  if (!found.length) return h("p.hint", null, "None of the newest deliveries is about this fax.");
  return smallTable(
    "Webhook deliveries",
    [
      ["Event", (one) => eventText(one.type)],
      ["To", (one) => one.endpoint.url],
      ["Result", (one) => words(one.status)],
      ["When", (one) => when(one.tried_at || one.created_at)],
    ],
    found,
  );
}

async function auditOf(fax, signal) {
  const { data } = await get("/v1/audit-log", { object: fax.id, limit: 50 }, signal);
  if (!data.length) return h("p.hint", null, "Nothing on record.");
  return smallTable(
    "Who did what with it",
    [
      ["When", (one) => when(one.at)],
      ["Who", (one) => one.actor.name || one.actor.kind],
      ["What", (one) => words(one.action.replace(".", " "))],
    ],
    data,
  );
}

// A part that costs requests: looked at when it is opened.
function later(title, work) {
  const inside = h("div");
  let begun = false;
  return h(
    "section.card",
    null,
    h(
      "details",
      {
        ontoggle: (event) => {
          if (event.target.open && !begun) {
            begun = true;
            loaded(inside, work);
          }
        },
      },
      h("summary", null, title),
      inside,
    ),
  );
}

// --- the page ---

export async function show(view, { params, signal }) {
  let fax = await refreshed(params.id, signal);
  const inbound = fax.direction === "inbound";
  const head = h("div"),
    state = h("div.fax-status", { role: "status" }),
    pages = h("div"),
    record = h("div"),
    calls = h("div"),
    tools = h("div");
  const passed = h("div"),
    routes = inbound && offers("GET /v1/faxes/{}/deliveries");
  let shownPages = "",
    shownCalls = "";

  const changed = (next) => {
    const before = fax.status;
    fax = next;
    draw();
    if (before !== fax.status) announce(statusLabel(fax.status));
  };
  const drawHead = () => {
    const list = actionsOf(fax, changed),
      main = list.filter((one) => one.main),
      rest = list.filter((one) => !one.main);
    put(
      head,
      heading(
        `${inbound ? "From" : "To"} ${peerOf(fax)}`,
        main.map((one) => button(one.label, one.act, { picture: one.icon, kind: one.danger ? "danger" : "" })),
        rest.length > 0 && menuButton("More actions", rest),
      ),
    );
  };
  const drawState = () => {
    const busy = IN_CALL.includes(fax.status) && fax.pages.total > 0;
    put(
      state,
      statusBadge(fax.status),
      h("p", null, reasonText(fax)),
      hintText(fax) && h("p.hint", null, hintText(fax)),
      busy && h("progress", { max: fax.pages.total, value: fax.pages.confirmed || 0, "aria-label": "Pages confirmed" }),
    );
  };
  const draw = () => {
    drawHead();
    drawState();
    put(record, aboutFax(fax));
    const has = [fax.document_sha256, fax.pages.total, fax.documents_purged_at, fax.links && fax.links.document].join();
    if (has !== shownPages) {
      shownPages = has;
      put(pages, viewer(fax));
    }
    const made = [fax.calls, fax.status, fax.pages.confirmed].join();
    if (made !== shownCalls) {
      shownCalls = made;
      loaded(calls, () => callsOf(fax, signal));
    }
    if (inbound) put(tools, inboxTools(fax, changed, signal));
    if (routes && !IN_CALL.includes(fax.status)) loaded(passed, () => routeDeliveries(fax, signal, look));
  };
  const look = lazily(async () => {
    if (signal.aborted) return;
    try {
      changed(await refreshed(fax.id, signal));
    } catch (error) {
      if (!isAbort(error)) fault(error);
    }
  }, 250);
  follow((event) => {
    if (!event || (event.data && event.data.id === fax.id)) look();
  }, signal);
  const timer = setInterval(() => {
    if (!document.hidden && (IN_CALL.includes(fax.status) || ["preparing", "routing"].includes(fax.status))) look();
  }, 1000);
  signal.addEventListener("abort", () => clearInterval(timer));

  draw();
  put(
    view,
    h(
      "p",
      null,
      h(
        "a",
        { href: inbound ? "#/inbox" : fax.timing && fax.timing.ended ? "#/sent" : "#/queue" },
        icon("left"),
        inbound ? "Inbox" : fax.timing && fax.timing.ended ? "Sent" : "Queue",
      ),
    ),
    head,
    state,
    tools,
    h(
      "div.fax",
      null,
      h("div", null, pages),
      h(
        "div",
        null,
        routes && card("Passed on", passed),
        card("Calls", calls),
        card("About this fax", record),
        later("History", () => historyOf(fax, signal)),
        offers("GET /v1/webhook-endpoints") && later("Webhook deliveries", () => deliveriesOf(fax, signal)),
        offers("GET /v1/audit-log") && later("Audit", () => auditOf(fax, signal)),
      ),
    ),
  );
  if (inbound && fax.unread === true && offers("POST /v1/faxes/{}/read"))
    post(`/v1/faxes/${part(fax.id)}/read`, { read: true }).then(changed, () => {});
}
