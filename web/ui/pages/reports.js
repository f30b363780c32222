// Reports: how much was sent and received, and how well it went, by day, hour, destination, user, provider and error.
import { h, put } from "../lib/dom.js";
import { ask, get } from "../lib/api.js";
import { bars, columns } from "../lib/plot.js";
import { button, doing, empty, heading, loaded, smallTable } from "../lib/parts.js";
import { number, percent, seconds, words } from "../lib/format.js";

const GROUPS = [
  ["day", "Day"],
  ["hour", "Hour"],
  ["destination", "Destination"],
  ["user", "User"],
  ["provider", "Provider"],
  ["error", "What went wrong"],
];
const SPANS = [
  ["1", "Today"],
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "A year"],
];

function rangeOf(days) {
  const to = new Date();
  to.setUTCHours(24, 0, 0, 0);
  return {
    from: new Date(to - days * 86400000).toISOString().replace(".000", ""),
    to: to.toISOString().replace(".000", ""),
  };
}

const shortOf = (key) =>
  /^\d{4}-\d\d-\d\d$/.test(key) ? key.slice(5) : /^\d{4}-.*T/.test(key) ? key.slice(11, 16) : key;
const dress = (group, list) =>
  list.map((one) => ({
    ...one,
    label: group === "error" ? words(one.key) || "none" : one.key || "none",
    short: shortOf(one.key || ""),
  }));
const ways = [
  { label: "delivered", kind: "good", value: (one) => one.delivered },
  { label: "failed", kind: "bad", value: (one) => one.failed },
];

function total(list) {
  const sum = (name) => list.reduce((all, one) => all + (one[name] || 0), 0);
  const figure = (value, text) => h("div.figure", null, h("b", null, value), h("span", null, text));
  return h(
    "div.figures",
    null,
    figure(number(sum("sent")), "sent"),
    figure(sum("sent") ? percent(sum("delivered") / sum("sent")) : "–", "of them delivered"),
    figure(number(sum("received")), "received"),
    figure(number(sum("pages_sent")), "pages sent"),
    figure(number(sum("pages_received")), "pages received"),
    figure(seconds(sum("call_s")), "on the line"),
  );
}

function table(group, list) {
  return smallTable(
    "Figures",
    [
      [GROUPS.find(([key]) => key === group)[1], (one) => one.label],
      ["Sent", (one) => number(one.sent), "num"],
      ["Delivered", (one) => number(one.delivered), "num"],
      ["Failed", (one) => number(one.failed), "num"],
      ["Success", (one) => (one.sent ? percent(one.delivered / one.sent) : "–"), "num"],
      ["Received", (one) => number(one.received), "num"],
      ["Pages out", (one) => number(one.pages_sent), "num"],
      ["Pages in", (one) => number(one.pages_received), "num"],
      ["On the line", (one) => seconds(one.call_s), "num"],
    ],
    list,
  );
}

function plotsOf(group, list) {
  if (group === "day" || group === "hour")
    return h(
      "div.cards",
      null,
      h(
        "section.card",
        null,
        columns("Faxes", list, [...ways, { label: "received", kind: "work", value: (one) => one.received }], { width: 480 }),
      ),
      h(
        "section.card",
        null,
        columns("Pages", list, [
          { label: "sent", kind: "work", value: (one) => one.pages_sent },
          { label: "received", kind: "wait", value: (one) => one.pages_received },
        ], { width: 480 }),
      ),
    );
  return h("section.card", null, bars("Sent", list.slice(0, 20), ways));
}

async function save(query) {
  const reply = await ask("GET", "/v1/reports/usage", { query, headers: { Accept: "text/csv" } });
  const anchor = h("a", { href: URL.createObjectURL(await reply.blob()), download: `usage-by-${query.group_by}.csv` });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}

export async function show(view, { query, signal }) {
  const group = h(
    "select",
    { "aria-label": "By" },
    GROUPS.map(([key, text]) =>
      h("option", { value: key, selected: key === (query.get("by") || "day") }, `By ${text.toLowerCase()}`),
    ),
  );
  const span = h(
    "select",
    { "aria-label": "Time" },
    SPANS.map(([key, text]) => h("option", { value: key, selected: key === (query.get("days") || "30") }, text)),
  );
  const wanted = () => ({ ...rangeOf(Number(span.value)), group_by: group.value });
  const at = h("div"),
    draw = () => {
      history.replaceState(null, "", `#/reports?by=${group.value}&days=${span.value}`);
      return loaded(at, async () => {
        const list = dress(group.value, (await get("/v1/reports/usage", wanted(), signal)).data);
        if (!list.length) return empty("Nothing in this time.", "Choose a longer one.");
        return [total(list), plotsOf(group.value, list), h("section.card", null, table(group.value, list))];
      });
    };
  group.addEventListener("change", draw);
  span.addEventListener("change", draw);
  put(
    view,
    heading(
      "Reports",
      button(
        "Save as CSV",
        doing(() => save(wanted())),
        { picture: "down" },
      ),
    ),
    h("div.filters", null, group, span),
    at,
  );
  await draw();
}
