// Received faxes: first page small, who sent it, what is to be done with it. Live.
import { h, put, settled } from "../lib/dom.js";
import { get, part } from "../lib/api.js";
import { me, offers, takes } from "../lib/access.js";
import { LongTable } from "../lib/table.js";
import { menuButton } from "../lib/dialog.js";
import { badge, pagesText, peerOf, reasonText, statusBadge } from "../lib/words.js";
import { doing, empty, heading } from "../lib/parts.js";
import { when } from "../lib/format.js";
import { actionsOf } from "../lib/actions.js";
import { picture } from "../lib/picture.js";
import { assign, label, markJunk, markRead, nameOf } from "../lib/inbox_tools.js";
import { live } from "./faxes.js";

const PAGE = 100;
const has = (name) => takes("GET /v1/faxes", name);

const VIEWS = [
  { id: "all", label: "All", query: {}, need: null },
  { id: "unread", label: "Unread", query: { unread: "true" }, need: "unread" },
  { id: "mine", label: "Assigned to me", query: { assigned: "me" }, need: "assigned" },
  { id: "nobody", label: "Assigned to nobody", query: { assigned: "none" }, need: "assigned" },
  { id: "junk", label: "Junk", query: { junk: "true" }, need: "junk" },
];

function itemsOf(fax, changed) {
  return [
    offers("POST /v1/faxes/{}/read") && {
      label: fax.unread ? "Mark as read" : "Mark as unread",
      icon: "inbox",
      act: doing(() => markRead(fax, Boolean(fax.unread), changed)),
    },
    offers("POST /v1/faxes/{}/assign") && { label: "Assign", icon: "user", act: doing(() => assign(fax, changed)) },
    offers("POST /v1/faxes/{}/labels") && { label: "Labels", icon: "tag", act: doing(() => label(fax, changed)) },
    ...actionsOf(fax, changed),
    offers("POST /v1/faxes/{}/junk") && {
      label: fax.junk ? "Not junk" : "Junk",
      icon: "off",
      act: doing(() => markJunk(fax, !fax.junk, changed)),
    },
  ];
}

function columnsOf(changed) {
  return [
    {
      name: "thumb",
      label: "Page 1",
      phone: "start",
      show: (fax) =>
        h(
          "div.thumb",
          null,
          fax.links && fax.links.document ? picture(`/v1/faxes/${part(fax.id)}/thumbnail`, "") : h("span.sheet.none"),
        ),
    },
    {
      name: "from",
      label: "From",
      phone: "title",
      show: (fax) =>
        h(
          "span.two",
          null,
          h(
            "span",
            null,
            fax.unread === true && [badge("work", "dot", "New"), " "],
            h("a", { href: `#/faxes/${part(fax.id)}`, class: fax.unread === true ? "is-unread" : "" }, peerOf(fax)),
          ),
          h("span", null, fax.from && fax.remote_station_id !== fax.from ? fax.remote_station_id : ""),
        ),
    },
    {
      name: "status",
      label: "State",
      phone: "sub",
      show: (fax) => [
        statusBadge(fax.status),
        " ",
        (fax.labels || []).map((one) => [h("span.chip", null, one), " "]),
        fax.assigned ? h("span.chip", null, nameOf(fax.assigned)) : "",
        h("span.only-heard", null, reasonText(fax)),
      ],
    },
    { name: "number", label: "To", phone: "note", show: (fax) => h("span.soft", null, fax.to ? `to ${fax.to}` : "") },
    { name: "pages", label: "Pages", show: pagesText },
    { name: "when", label: "Came", phone: "side", show: (fax) => when(fax.timing && fax.timing.created) },
    {
      name: "act",
      label: "",
      phone: "end",
      show: (fax) => menuButton(`Actions for the fax from ${peerOf(fax)}`, () => itemsOf(fax, changed)),
    },
  ];
}

function nothing(view, lines) {
  if (view !== "all") return empty("Nothing here.", "Faxes that fit this view will appear by themselves.");
  const numbers = lines
    .filter((line) => line.receive_enabled)
    .map((line) => line.number)
    .filter(Boolean);
  return empty(
    "No fax has come yet.",
    numbers.length
      ? `Faxes to ${numbers.slice(0, 5).join(", ")} arrive here by themselves.`
      : "No line receives now. Switch one on under Lines.",
    offers("POST /v1/faxes") && numbers.length
      ? h("a.button", { href: "#/send?to=" + encodeURIComponent(numbers[0]) }, "Send one to yourself")
      : null,
  );
}

export async function show(view, { query, signal }) {
  const views = VIEWS.filter((one) => (!one.need || has(one.need)) && (one.id !== "mine" || me()));
  const chosen = views.find((one) => one.id === query.get("view")) || views[0];
  const lines = offers("GET /v1/lines") ? (await get("/v1/lines", null, signal)).data : [];
  const search = h("input.grow", {
    type: "search",
    name: has("q") ? "q" : "from",
    value: query.get("q") || "",
    placeholder: has("q") ? "Number, station id, reference" : "Sender's number",
    "aria-label": has("q") ? "Search the inbox" : "Sender's number",
  });
  const wanted = () => ({
    direction: "inbound",
    limit: PAGE,
    ...(has("junk") && chosen.id !== "junk" ? { junk: "false" } : {}),
    ...chosen.query,
    [search.name]: search.value.trim(),
  });
  const fits = (fax) =>
    fax.direction === "inbound" &&
    (table.has(fax.id)
      ? chosen.id === "junk"
        ? fax.junk === true
        : fax.junk !== true
      : !search.value.trim() &&
        (chosen.id === "all" ? fax.junk !== true : chosen.id === "unread" && fax.unread === true && fax.junk !== true));
  const changed = (fax) => (fits(fax) ? table.update(fax) : table.drop(fax.id));
  const table = new LongTable({
    caption: "Received faxes",
    columns: columnsOf(changed),
    kind: "tall",
    signal,
    href: (fax) => `#/faxes/${part(fax.id)}`,
    load: (cursor) => get("/v1/faxes", { ...wanted(), cursor }, signal),
    empty: () =>
      search.value.trim() ? empty("Nothing fits.", "Try a part of the number less.") : nothing(chosen.id, lines),
  });
  search.addEventListener(
    "input",
    settled(() => table.reload(), 300),
  );
  put(
    view,
    heading("Inbox"),
    views.length > 1 &&
      h(
        "nav.tabs",
        { "aria-label": "Views of the inbox" },
        views.map((one) =>
          h(
            "a",
            {
              href: `#/inbox${one.id === "all" ? "" : "?view=" + one.id}`,
              "aria-current": one === chosen ? "page" : null,
            },
            one.label,
          ),
        ),
      ),
    h("form.filters", { role: "search", onsubmit: (event) => event.preventDefault() }, search),
    table.element,
  );
  live(table, fits, signal);
  await table.reload();
}
