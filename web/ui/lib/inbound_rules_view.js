// Rules for received faxes: in order, moved, made, changed, and asked what they would do.
import { h, put } from "./dom.js";
import { get, part, patch, post } from "./api.js";
import { offers } from "./access.js";
import { toast } from "./dialog.js";
import { card, doing, facts, showSecret, smallTable } from "./parts.js";
import { editor } from "./editing.js";
import { check, field, form } from "./form.js";
import { capital, fromLocal, number, words } from "./format.js";
import { badge, statusLabel } from "./words.js";
import { methodLabel, methodList } from "./route_method_form.js";
import { windowFields, windowOf, windowText } from "./window_form.js";

const PATH = "/v1/routes/inbound";
const METHODS_WORDS = { folder: "folder", email: "to", webhook: "url", print: "printer", command: "argv", inbox: "user" };

// --- what it says ---

const SAID = [
  ["did", "to"],
  ["did_prefix", "to numbers that begin with"],
  ["line", "on line"],
  ["group", "on lines of the group"],
  ["from", "from"],
  ["from_prefix", "from numbers that begin with"],
  ["station_id", "from the station id"],
  ["station_id_prefix", "from station ids that begin with"],
  ["subaddress", "with the subaddress"],
  ["pages_min", "pages at least"],
  ["pages_max", "pages at most"],
];

function conditions(match) {
  const given = match || {};
  const list = SAID.filter(([name]) => given[name] !== null && given[name] !== undefined).map(
    ([name, text]) => `${text} ${given[name]}`,
  );
  if (given.anonymous === true) list.push("from callers without a number");
  if (given.anonymous === false) list.push("from callers with a number");
  if (given.outcome && given.outcome !== "any") list.push(words(given.outcome));
  if (given.window) list.push(windowText(given.window));
  return list.length ? capital(list.join(", ")) : "Every fax";
}

function target(method, people) {
  const value = method[METHODS_WORDS[method.type]];
  if (method.type === "inbox") {
    const who = people.find((one) => one.id === value);
    const labels = (method.labels || []).length ? `labels ${method.labels.join(", ")}` : "";
    return [who ? who.display_name : value ? "somebody who is gone" : "", labels].filter(Boolean).join(", ") || "inbox";
  }
  return Array.isArray(value) ? value.join(" ") : value || "";
}

// --- the dialog ---

const text = (match, label, name, extra = {}) =>
  field(label, { name, pointer: `/match/${name}`, value: match[name] ?? "", ...extra });

function moreFields(match) {
  return h(
    "details",
    null,
    h("summary", null, "More conditions"),
    h(
      "div.pair",
      null,
      text(match, "Station id", "station_id", { hint: "What the far machine calls itself." }),
      text(match, "Station id begins with", "station_id_prefix"),
      text(match, "Subaddress", "subaddress"),
    ),
    h(
      "div.pair",
      null,
      text(match, "Line", "line", { placeholder: "provider/line" }),
      text(match, "Group of lines", "group"),
      text(match, "Pages at least", "pages_min", { type: "number", min: 1 }),
      text(match, "Pages at most", "pages_max", { type: "number", min: 1 }),
    ),
    h(
      "div.pair",
      null,
      field("Outcome", {
        name: "outcome",
        pointer: "/match/outcome",
        options: [
          ["any", "Whole or in part"],
          ["received", "Received whole"],
          ["partially_received", "Received in part"],
        ],
        value: match.outcome || "any",
      }),
      field("Caller's number", {
        name: "anonymous",
        pointer: "/match/anonymous",
        options: [
          ["", "Said or not"],
          ["false", "Said"],
          ["true", "Not said"],
        ],
        value: match.anonymous ?? "",
      }),
    ),
    windowFields(match.window, "/match/window"),
  );
}

// Of the dialog that is open: its ways, and the addresses of webhooks that had their secrets before.
let methods = null;
let known = new Set();

function fieldsOf(rule, people) {
  const one = rule || {},
    match = one.match || {};
  methods = methodList(one.methods || [], people);
  known = new Set((one.methods || []).map((method) => method.url));
  return [
    h(
      "div.pair",
      null,
      field("Name", { name: "name", value: one.name, maxlength: 127, placeholder: "Billing" }),
      field("Place", {
        name: "position",
        type: "number",
        min: 1,
        value: one.position,
        hint: "The first that fits is taken. Empty: the last.",
      }),
    ),
    h("h3", null, "Which faxes"),
    h("p.hint", null, "All that is filled in has to fit. Nothing filled in: every fax."),
    h(
      "div.pair",
      null,
      text(match, "Number called", "did", { type: "tel" }),
      text(match, "Number called begins with", "did_prefix", { type: "tel" }),
      text(match, "From number", "from", { type: "tel" }),
      text(match, "From number begins with", "from_prefix", { type: "tel" }),
    ),
    moreFields(match),
    methods.element,
    field("Then", {
      name: "then",
      options: [
        ["stop", "It is done"],
        ["continue", "The rules behind it are looked at as well"],
      ],
      value: one.then,
    }),
    check("In force", { name: "enabled", checked: one.enabled !== false }),
  ];
}

function matchOf(data) {
  const match = {};
  for (const [name] of SAID)
    if (data[name] !== "" && data[name] !== undefined)
      match[name] = name.startsWith("pages_") ? Number(data[name]) : data[name];
  if (data.anonymous) match.anonymous = data.anonymous === "true";
  if (data.outcome !== "any") match.outcome = data.outcome;
  const span = windowOf(data);
  if (span) match.window = span;
  return match;
}

function bodyOf(data) {
  const body = {
    name: data.name,
    match: matchOf(data),
    methods: methods.read(),
    then: data.then,
    enabled: data.enabled,
  };
  if (data.position) body.position = Number(data.position);
  return body;
}

// A webhook's secret is told in the reply to who made it, and not again.
async function tellSecrets(rule) {
  const before = known;
  for (const method of rule.methods)
    if (method.secret && !before.has(method.url))
      await showSecret(
        "The secret of the webhook",
        ["Requests to ", method.url, " are signed with it. It is shown this once."],
        method.secret,
      );
}

// --- the list ---

export function inboundRules(signal) {
  let people = [];
  const mayMove = offers(`PATCH ${PATH}/{}`);
  const move = (one, by, draw) => ({
    label: by < 0 ? "Move up" : "Move down",
    icon: by < 0 ? "up" : "down",
    act: doing(async () => {
      await patch(`${PATH}/${part(one.id)}`, { position: one.position + by });
      draw();
    }),
  });
  const list = editor(
    {
      path: PATH,
      one: "rule",
      many: "What is done with received faxes, in order",
      none: [
        "No rules.",
        "A received fax stays in the inbox. A rule passes it on: to somebody, by e-mail, to a folder, a printer, a program.",
      ],
      gone: "Faxes go by the next rule that fits. What waits to be passed on still is.",
      name: (one) => one.name || conditions(one.match),
      fixed: (one) => one.from_config,
      columns: [
        ["Rule", (one) => `${number(one.position)}. ${one.name || "without a name"}`],
        ["Which faxes", (one) => conditions(one.match)],
        [
          "Passed on to",
          (one) =>
            h(
              "ul.ways",
              null,
              one.methods.map((method) =>
                h("li", null, `${methodLabel(method.type)}: `, h("span.soft", null, target(method, people))),
              ),
            ),
        ],
        ["Then", (one) => (one.then === "continue" ? "goes on" : "done")],
        [
          "State",
          (one) => [
            one.enabled ? badge("good", "check", "On") : badge("off", "off", "Off"),
            one.from_config && h("span.hint", null, h("br"), "from the configuration"),
          ],
        ],
      ],
      fields: (rule) => fieldsOf(rule, people),
      body: bodyOf,
      after: tellSecrets,
      extra: (one, draw) => {
        const rows = list.rows(),
          at = rows.indexOf(one);
        return [
          mayMove && at > 0 && !rows[at - 1].from_config && move(one, -1, draw),
          mayMove && at < rows.length - 1 && move(one, 1, draw),
          mayMove && {
            label: one.enabled ? "Switch off" : "Switch on",
            icon: "off",
            act: doing(async () => {
              await patch(`${PATH}/${part(one.id)}`, { enabled: !one.enabled });
              toast(one.enabled ? "Switched off" : "Switched on");
              draw();
            }),
          },
        ];
      },
    },
    signal,
  );
  const draw = list.draw;
  list.draw = async () => {
    if (offers("GET /v1/assignees")) people = (await get("/v1/assignees", { limit: 200 }, signal)).data;
    await draw();
  };
  return list;
}

// --- the dry run ---

function answer(found) {
  const tried = found.rules.filter((one) => one.evaluated);
  return [
    facts([
      ["It would be", found.status === "junk" ? "put aside as junk" : statusLabel(found.status)],
      ["Blocked", found.blocked && (found.blocked.reason || "by a rule of Block and allow")],
    ]),
    found.deliveries.length > 0 &&
      smallTable(
        "It would be passed on",
        [
          ["By", (one) => methodLabel(one.method)],
          ["To", (one) => one.target || "–"],
        ],
        found.deliveries,
      ),
    tried.length > 0 &&
      smallTable(
        "Rules that were looked at",
        [
          ["Rule", (one) => one.name || `at place ${one.position}`],
          ["Fits", (one) => (one.matches ? badge("good", "check", "Yes") : badge("off", "off", "No"))],
          ["Why", (one) => one.reason || "–"],
        ],
        tried,
      ),
    !tried.length && !found.blocked && h("p.hint", null, "There is no rule: it stays in the inbox."),
  ];
}

export function inboundTester() {
  const at = h("div", { role: "status" });
  return card(
    "What would become of a fax?",
    form(
      {
        action: "Ask",
        submit: async (data) => {
          const body = {};
          for (const name of ["did", "from", "station_id"]) if (data[name]) body[name] = data[name];
          if (data.pages) body.pages = Number(data.pages);
          if (data.at) body.at = fromLocal(data.at);
          put(at, answer(await post(`${PATH}/test`, body)));
        },
      },
      h(
        "div.pair",
        null,
        field("Number called", { name: "did", type: "tel" }),
        field("From number", { name: "from", type: "tel", hint: "Empty: a caller who says none." }),
        field("Station id", { name: "station_id" }),
        field("Pages", { name: "pages", type: "number", min: 1 }),
        field("When", { name: "at", type: "datetime-local", hint: "Empty: now." }),
      ),
      h("p.hint", null, "Nothing is received or passed on: it is only asked."),
    ),
    at,
  );
}
