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
import { inboundRules, inboundTester } from "../lib/inbound_rules_view.js";
import { windowFields, windowOf, windowText } from "../lib/window_form.js";

const KINDS = [
  ["number", "this number"],
  ["prefix", "numbers that begin with"],
  ["station_id", "the station id"],
  ["station_id_prefix", "station ids that begin with"],
  ["anonymous", "callers without a number"],
];

const ACTIONS = [
  ["deny", "Refuse it", ["bad", "off", "Refused"]],
  ["quarantine", "Receive it, and put it aside as junk", ["warn", "pause", "Put aside"]],
  ["allow", "Let it through", ["good", "check", "Let through"]],
];
const actionBadge = (action) => badge(...(ACTIONS.find(([key]) => key === action) || ACTIONS[0])[2]);

// What is matched belongs to the rule for good; the rest can be changed.
function blockFields(rule) {
  const one = rule || {},
    kinds = enumOf("POST /v1/rules/block", "kind"),
    actions = enumOf("POST /v1/rules/block", "action");
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
      options: ACTIONS.filter(([action]) => !actions.length || actions.includes(action)).map(([key, text]) => [key, text]),
      value: one.action,
      hint: "What a machine calls itself is known only after it was answered: it can be put aside, not refused.",
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
          (one) => actionBadge(one.action),
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

function outboundFields(rule) {
  const one = rule || {};
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
    windowFields(one.window),
    check("In force", { name: "enabled", checked: one.enabled !== false }),
  ];
}

function outboundBody(data, before) {
  const body = { name: data.name, groups: listOf(data.groups), enabled: data.enabled };
  if (data.position) body.position = Number(data.position);
  if (data.prefix || (before && before.prefix)) body.prefix = data.prefix;
  const span = windowOf(data);
  if (span) body.window = span;
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
        ["When", (one) => windowText(one.window)],
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

const groupText = (group) => `${group.name} (${group.can_send ? "has a line for it" : "has no line for it now"})`;

function tester() {
  const at = h("div", { role: "status" });
  return card(
    "Which way does a number go?",
    form(
      {
        action: "Ask",
        submit: async (data) => {
          const found = await post("/v1/routes/outbound/test", { to: data.to });
          put(
            at,
            facts([
              ["It can be called", found.callable ? "yes" : "no"],
              ["Rule", found.rule ? found.rule.name : "none: the default"],
              ["Groups", found.groups.map(groupText).join(", then ") || "none"],
              ["It would wait until", found.opens_at && when(found.opens_at)],
              ["Why", found.reasons.map((reason) => h("div", null, reason))],
            ]),
          );
        },
      },
      field("Number", { name: "to", type: "tel", required: true }),
    ),
    at,
  );
}

const VIEWS = [
  { id: "block", label: "Block and allow", href: "#/rules", need: "GET /v1/rules/block", list: blocks },
  {
    id: "inbound",
    label: "Received faxes",
    href: "#/rules?view=inbound",
    need: "GET /v1/routes/inbound",
    list: inboundRules,
    below: () => offers("POST /v1/routes/inbound/test") && inboundTester(),
  },
  {
    id: "outbound",
    label: "Ways out",
    href: "#/rules?view=outbound",
    need: "GET /v1/routes/outbound",
    list: outbound,
    below: () => offers("POST /v1/routes/outbound/test") && tester(),
  },
];

export async function show(view, { query, signal }) {
  const views = VIEWS.filter((one) => offers(one.need)),
    shown = views.find((one) => one.id === query.get("view")) || views[0],
    list = shown.list(signal);
  put(
    view,
    heading("Rules", list.adder),
    views.length > 1 &&
      tabs(
        "Kinds of rules",
        views.map((one) => [one.href, one.label, one.id]),
        shown.id,
      ),
    h("section.card", null, list.element),
    shown.below && shown.below(),
  );
  await list.draw();
}
