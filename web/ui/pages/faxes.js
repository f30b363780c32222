// Queue and sent: the same list, of what is under way and of what has ended. Live: events say which fax changed, and only
// that one is asked for; when many change at once, the list is asked for again.
import { h, lazily, put, settled } from "../lib/dom.js";
import { get, isAbort, part } from "../lib/api.js";
import { offers, takes } from "../lib/access.js";
import { follow } from "../lib/stream.js";
import { LongTable } from "../lib/table.js";
import { menuButton } from "../lib/dialog.js";
import { empty, heading, link } from "../lib/parts.js";
import { fromLocal, when } from "../lib/format.js";
import { actionsOf } from "../lib/actions.js";
import { ACTIVE, ENDED, IN_CALL, pagesText, peerOf, reasonText, statusBadge, statusLabel } from "../lib/words.js";

const PAGE = 100;
const MANY = 15; // changes at once that are a reason to look at the list

function column(changed) {
  const act = {
    name: "act",
    label: "",
    phone: "end",
    show: (fax) => menuButton(`Actions for the fax to ${peerOf(fax)}`, () => actionsOf(fax, changed)),
  };
  return [
    {
      name: "number",
      label: "To",
      phone: "title",
      show: (fax) => h("a", { href: `#/faxes/${part(fax.id)}` }, peerOf(fax)),
    },
    { name: "status", label: "Status", phone: "sub", show: (fax) => statusBadge(fax.status) },
    {
      name: "reason",
      label: "What and why",
      phone: "note",
      show: (fax) => h("span", { title: reasonText(fax) }, reasonText(fax)),
    },
    { name: "pages", label: "Pages", show: pagesText },
    { name: "when", label: "Created", phone: "side", show: (fax) => when(fax.timing && fax.timing.created) },
    act,
  ];
}

function filtersOf(all, query, apply) {
  const search = takes("GET /v1/faxes", "q");
  const form = h(
    "form.filters",
    {
      role: "search",
      onsubmit: (event) => {
        event.preventDefault();
        apply();
      },
    },
    h("input.grow", {
      type: "search",
      name: search ? "q" : "to",
      value: query.get(search ? "q" : "to") || "",
      "aria-label": search ? "Search by number, name or reference" : "Number called",
      placeholder: search ? "Number, name, reference" : "Number",
    }),
    h(
      "select",
      { name: "status", "aria-label": "Status" },
      h("option", { value: "" }, "Every status"),
      all.map((one) => h("option", { value: one, selected: one === query.get("status") }, statusLabel(one))),
    ),
    h(
      "details",
      { open: ["tag", "client_reference", "from", "until", "batch"].some((name) => query.get(name)) },
      h("summary", null, "More filters"),
      h(
        "div.filters",
        null,
        h("input", { name: "tag", value: query.get("tag") || "", placeholder: "Tag", "aria-label": "Tag" }),
        h("input", {
          name: "client_reference",
          value: query.get("client_reference") || "",
          placeholder: "Your reference",
          "aria-label": "Your reference",
        }),
        h("input", { name: "batch", value: query.get("batch") || "", placeholder: "Batch", "aria-label": "Batch" }),
        h(
          "label.inline",
          null,
          "Created from",
          h("input", { name: "from", type: "datetime-local", value: query.get("from") || "" }),
        ),
        h(
          "label.inline",
          null,
          "Created before",
          h("input", { name: "until", type: "datetime-local", value: query.get("until") || "" }),
        ),
      ),
    ),
  );
  form.addEventListener("input", settled(apply, 300));
  return form;
}

const values = (form) => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));

function apiQuery(all, wanted) {
  return {
    direction: "outbound",
    limit: PAGE,
    status: wanted.status || all.join(","),
    to: wanted.to,
    q: wanted.q,
    tag: wanted.tag,
    batch: wanted.batch,
    client_reference: wanted.client_reference,
    "created[gte]": fromLocal(wanted.from),
    "created[lt]": fromLocal(wanted.until),
  };
}

// Follows events into a table of faxes. `fits(fax)` says whether a fax belongs into it.
export function live(table, fits, signal) {
  const changed = new Set();
  const look = lazily(async () => {
    const ids = [...changed];
    changed.clear();
    if (signal.aborted) return;
    if (ids.length > MANY) return table.reload();
    for (const id of ids) {
      try {
        const fax = await get(`/v1/faxes/${part(id)}`, null, signal);
        if (!fits(fax)) table.drop(id);
        else if (table.has(id)) table.update(fax);
        else table.add(fax);
      } catch (error) {
        if (isAbort(error)) return;
        if (error.status === 404 || error.status === 410) table.drop(id);
      }
    }
  }, 250);
  const see = (id) => {
    changed.add(id);
    look();
  };
  follow((event) => {
    if (!event) return table.reload();
    if (/^(fax|inbound|document)\./.test(event.type) && event.data && event.data.id) see(event.data.id);
  }, signal);
  // Pages have no event of their own here; those in a call and on the screen are looked at.
  const timer = setInterval(() => {
    if (!document.hidden)
      table
        .visible()
        .filter((fax) => IN_CALL.includes(fax.status) || fax.status === "preparing")
        .slice(0, 10)
        .forEach((fax) => see(fax.id));
  }, 1500);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function nothing(queue, filtered) {
  if (filtered) return empty("Nothing fits these filters.", "Take one away to see more.");
  const send = offers("POST /v1/faxes") && link("#/send", "Send a fax", "send");
  return queue
    ? empty(
        "Nothing is waiting.",
        "A fax that you send is here until it has ended.",
        send,
        link("#/sent", "See what was sent", "sent"),
      )
    : empty("Nothing was sent yet.", "Faxes that have ended are here, with what became of them.", send);
}

export async function show(view, { path, query, signal }) {
  const queue = path === "/queue",
    all = queue ? ACTIVE : ENDED;
  const changed = (fax) => (fits(fax) ? table.update(fax) : table.drop(fax.id));
  const apply = () => {
    const text = new URLSearchParams(values(filters)).toString();
    history.replaceState(null, "", `#${path}${text ? "?" + text : ""}`);
    table.reload();
  };
  const filters = filtersOf(all, query, apply);
  const filtered = () => Object.keys(values(filters)).length > 0;
  const fits = (fax) => {
    const wanted = values(filters);
    if (fax.direction !== "outbound" || !(wanted.status ? fax.status === wanted.status : all.includes(fax.status)))
      return false;
    if (wanted.batch && fax.batch !== wanted.batch) return false;
    return table.has(fax.id) || Object.keys(wanted).every((name) => ["status", "batch"].includes(name));
  };
  const table = new LongTable({
    caption: queue ? "Faxes under way" : "Faxes that have ended",
    columns: column(changed),
    kind: "faxes",
    signal,
    href: (fax) => `#/faxes/${part(fax.id)}`,
    load: (cursor) => get("/v1/faxes", { ...apiQuery(all, values(filters)), cursor }, signal),
    empty: () => nothing(queue, filtered()),
  });
  put(
    view,
    heading(
      queue ? "Queue" : "Sent",
      offers("POST /v1/faxes") && h("a.button.primary", { href: "#/send" }, "Send a fax"),
    ),
    filters,
    table.element,
  );
  live(table, fits, signal);
  await table.reload();
}
