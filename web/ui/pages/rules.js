// Rules: who is not called or not answered, and which lines a number goes out by.
import { h, put } from "../lib/dom.js";
import { patch, part, post } from "../lib/api.js";
import { enumOf, offers } from "../lib/access.js";
import { toast } from "../lib/dialog.js";
import { card, doing, facts, heading, tabs } from "../lib/parts.js";
import { bodyOf, editor } from "../lib/editing.js";
import { check, field, form, listOf } from "../lib/form.js";
import { badge } from "../lib/words.js";
import { fromLocal, number, toLocal, when } from "../lib/format.js";

const KINDS = [
  ["number", "this number"],
  ["prefix", "numbers that begin with"],
  ["station_id", "a station id like"],
  ["anonymous", "callers without a number"],
];
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

// What is matched belongs to the rule for good; the rest can be changed.
function blockFields(rule) {
  const one = rule || {},
    kinds = enumOf("POST /v1/rules/block", "kind");
  return [
    !rule &&
      h(
        "div.pair",
        null,
        field("Direction", {
          name: "direction",
          options: [
            ["inbound", "Received"],
            ["outbound", "Sent"],
          ],
        }),
        field("What", { name: "kind", options: KINDS.filter(([kind]) => !kinds.length || kinds.includes(kind)) }),
      ),
    !rule && field("Value", { name: "value", hint: "Not needed for callers without a number." }),
    field("Then", {
      name: "action",
      options: [
        ["deny", "Refuse it"],
        ["allow", "Let it through"],
      ],
      value: one.action,
    }),
    field("Reason", { name: "reason", value: one.reason, hint: "For those who ask later." }),
    field("Until", {
      name: "expires_at",
      type: "datetime-local",
      value: toLocal(one.expires_at),
      hint: "Empty: for good.",
    }),
  ];
}

const blocks = (signal) =>
  editor(
    {
      path: "/v1/rules/block",
      one: "rule",
      many: "Blocked and allowed",
      none: [
        "No rules.",
        "Everybody is called and answered. A rule refuses a number, a prefix, a station id, or callers without a number.",
      ],
      gone: "What it refused is let through again.",
      name: (one) => (one.kind === "anonymous" ? "callers without a number" : one.value),
      columns: [
        ["What", (one) => `${(KINDS.find(([key]) => key === one.kind) || [])[1] || one.kind} ${one.value || ""}`],
        ["Direction", (one) => (one.direction === "inbound" ? "received" : "sent")],
        [
          "Then",
          (one) => (one.action === "deny" ? badge("bad", "off", "Refused") : badge("good", "check", "Let through")),
        ],
        ["Reason", (one) => one.reason || "–"],
        ["Hits", (one) => number(one.hits), "num"],
        ["Last", (one) => (one.last_hit_at ? when(one.last_hit_at, { ago: true }) : "never")],
        ["Until", (one) => (one.expires_at ? when(one.expires_at) : "for good")],
      ],
      fields: blockFields,
      body: (data, before) => ({
        ...bodyOf(
          { ...data, value: data.kind === "anonymous" ? "" : data.value },
          null,
          before ? ["action"] : ["direction", "action", "kind", "value"],
        ),
        ...bodyOf(data, before, ["reason"]),
        ...(data.expires_at
          ? { expires_at: fromLocal(data.expires_at) }
          : before && before.expires_at
            ? { expires_at: null }
            : {}),
      }),
    },
    signal,
  );

function windowText(rule) {
  const span = rule.window;
  if (!span) return "always";
  const days =
    (span.days || []).length && span.days.length < 7 ? span.days.map((day) => DAYS[day - 1]).join(" ") + ", " : "";
  return `${days}${span.from}–${span.to}${span.time_zone ? " " + span.time_zone : ""}`;
}

function dayBoxes(chosen) {
  return h(
    "fieldset.checks",
    null,
    h("legend", null, "Days"),
    h(
      "div.switches",
      null,
      DAYS.map((day, at) =>
        h(
          "label",
          null,
          h("input", {
            type: "checkbox",
            name: "days",
            value: String(at + 1),
            checked: chosen.includes(at + 1),
            "data-list": true,
          }),
          day,
        ),
      ),
    ),
  );
}

function outboundFields(rule) {
  const one = rule || {},
    span = one.window || {};
  return [
    h(
      "div.pair",
      null,
      field("Name", { name: "name", value: one.name, required: true }),
      field("Place", {
        name: "position",
        type: "number",
        min: 1,
        value: one.position,
        hint: "The first that fits is taken.",
      }),
    ),
    h(
      "div.pair",
      null,
      field("Numbers that begin with", { name: "prefix", value: one.prefix, hint: "Empty: all." }),
      field("Groups of lines", {
        name: "groups",
        value: (one.groups || []).join(", "),
        required: true,
        hint: "The cheapest first; the next when it fails.",
      }),
    ),
    h(
      "div.pair",
      null,
      field("From", { name: "from", type: "time", value: span.from, pointer: "/window/from" }),
      field("To", { name: "to", type: "time", value: span.to, pointer: "/window/to" }),
      field("Time zone", {
        name: "time_zone",
        value: span.time_zone || Intl.DateTimeFormat().resolvedOptions().timeZone,
        pointer: "/window/time_zone",
      }),
    ),
    dayBoxes(span.days || [1, 2, 3, 4, 5, 6, 7]),
    check("In force", { name: "enabled", checked: one.enabled !== false }),
  ];
}

function outboundBody(data, before) {
  const body = { name: data.name, groups: listOf(data.groups), enabled: data.enabled };
  if (data.position) body.position = Number(data.position);
  if (data.prefix || (before && before.prefix)) body.prefix = data.prefix;
  if (data.from && data.to)
    body.window = {
      from: data.from,
      to: data.to,
      days: (data.days || []).map(Number),
      ...(data.time_zone ? { time_zone: data.time_zone } : {}),
    };
  else if (before && before.window) body.window = null;
  return body;
}

const outbound = (signal) =>
  editor(
    {
      path: "/v1/routes/outbound",
      one: "rule",
      many: "Ways out, in order",
      none: [
        "No rules.",
        "Every number goes out by the group default. A rule sends numbers of a prefix over other lines, in other hours, by cost.",
      ],
      gone: "Its numbers go by the next rule that fits.",
      columns: [
        ["Name", (one) => one.name],
        ["Place", (one) => number(one.position), "num"],
        ["Begins with", (one) => one.prefix || "all"],
        ["Groups", (one) => (one.groups || []).join(", then ")],
        ["When", windowText],
        ["State", (one) => (one.enabled ? badge("good", "check", "On") : badge("off", "off", "Off"))],
      ],
      fields: outboundFields,
      body: outboundBody,
      extra: (one, draw) => [
        offers("PATCH /v1/routes/outbound/{}") && {
          label: one.enabled ? "Switch off" : "Switch on",
          icon: "off",
          act: doing(async () => {
            await patch(`/v1/routes/outbound/${part(one.id)}`, { enabled: !one.enabled });
            toast(one.enabled ? "Switched off" : "Switched on");
            draw();
          }),
        },
      ],
    },
    signal,
  );

function tester() {
  const at = h("div", { role: "status" });
  return card(
    "Which way does a number go?",
    form(
      {
        action: "Ask",
        submit: async (data) => {
          const found = await post("/v1/routes/outbound/test", { to: data.to });
          const rule = found.rule && (found.rule.name || found.rule);
          put(
            at,
            facts([
              ["Rule", rule || "none: the default"],
              ["Groups", (found.groups || []).join(", then ") || "none"],
              ["Why", found.reason],
            ]),
          );
        },
      },
      field("Number", { name: "to", type: "tel", required: true }),
    ),
    at,
  );
}

export async function show(view, { query, signal }) {
  const out = query.get("view") === "outbound" && offers("GET /v1/routes/outbound");
  const list = out ? outbound(signal) : blocks(signal);
  put(
    view,
    heading("Rules", list.adder),
    offers("GET /v1/routes/outbound") &&
      tabs(
        "Kinds of rules",
        [
          ["#/rules", "Block and allow", "block"],
          ["#/rules?view=outbound", "Ways out", "outbound"],
        ],
        out ? "outbound" : "block",
      ),
    h("section.card", null, list.element),
    out && offers("POST /v1/routes/outbound/test") && tester(),
  );
  await list.draw();
}
