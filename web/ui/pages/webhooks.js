// Webhook endpoints: who is told of what, the secret shown once, deliveries with replay.
import { h, put } from "../lib/dom.js";
import { get, part, patch, post, remove } from "../lib/api.js";
import { offers } from "../lib/access.js";
import { follow } from "../lib/stream.js";
import { confirmed, menuButton, openDialog, toast } from "../lib/dialog.js";
import { button, card, doing, empty, facts, heading, loaded, showSecret, smallTable } from "../lib/parts.js";
import { badge, eventText } from "../lib/words.js";
import { field, form, listOf } from "../lib/form.js";
import { number, when, words } from "../lib/format.js";

const path = (endpoint, tail = "") => `/v1/webhook-endpoints/${part(endpoint.id)}${tail}`;
const stateOf = (endpoint) => (endpoint.enabled ? badge("good", "check", "On") : badge("off", "off", "Off"));
const secretText =
  "With it your program proves that a message is from this server (Standard Webhooks). It is shown this once.";

function fieldsOf(endpoint = { events: [] }) {
  return [
    field("Address", {
      name: "url",
      type: "url",
      required: true,
      value: endpoint.url,
      placeholder: "https://example.com/fax-events",
      inputmode: "url",
    }),
    field("Events", {
      name: "events",
      value: (endpoint.events || []).join(", "),
      hint: "Types or groups with commas: fax.delivered, inbound.*. Empty: all but those of single pages and rings.",
    }),
  ];
}

const add = (done) =>
  openDialog("New webhook", (close) =>
    form(
      {
        action: "Add",
        cancel: () => close(),
        submit: async (data) => {
          const events = listOf(data.events);
          const made = await post("/v1/webhook-endpoints", { url: data.url, ...(events.length ? { events } : {}) });
          close();
          await showSecret("The secret of this webhook", secretText, made.secret);
          done();
        },
      },
      fieldsOf(),
    ),
  );

const change = (endpoint, done) =>
  openDialog("Change the webhook", (close) =>
    form(
      {
        action: "Save",
        cancel: () => close(),
        submit: async (data) => {
          await patch(path(endpoint), { url: data.url, events: listOf(data.events) });
          close();
          done();
        },
      },
      fieldsOf(endpoint),
    ),
  );

async function toggle(endpoint, done) {
  await patch(path(endpoint), { enabled: !endpoint.enabled });
  toast(endpoint.enabled ? "Switched off; what waits for it is given up, and can be replayed." : "Switched on");
  done();
}

async function rotate(endpoint) {
  if (
    !(await confirmed(
      "Make a new secret?",
      "For a day both the old and the new one sign, so that you can change your program in between.",
      "Make a new secret",
      { danger: false, keep: "Leave it" },
    ))
  )
    return;
  const made = await post(path(endpoint, "/rotate-secret"));
  await showSecret("The new secret", secretText, made.secret);
}

async function drop(endpoint, done) {
  if (
    !(await confirmed(
      "Remove this webhook?",
      `${endpoint.url} is told nothing any more, and its deliveries are forgotten.`,
      "Remove it",
    ))
  )
    return;
  await remove(path(endpoint));
  toast("Removed");
  done();
}

function actions(endpoint, done) {
  return [
    offers("POST /v1/webhook-endpoints/{}/test") &&
      endpoint.enabled && {
        label: "Send a test event",
        icon: "send",
        act: doing(async () => {
          await post(path(endpoint, "/test"));
          toast("On its way; see the deliveries.");
          done();
        }),
      },
    offers("PATCH /v1/webhook-endpoints/{}") &&
      !endpoint.from_config && { label: "Change", icon: "cover", act: () => change(endpoint, done) },
    offers("PATCH /v1/webhook-endpoints/{}") && {
      label: endpoint.enabled ? "Switch off" : "Switch on",
      icon: "off",
      act: doing(() => toggle(endpoint, done)),
    },
    offers("POST /v1/webhook-endpoints/{}/rotate-secret") && {
      label: "New secret",
      icon: "key",
      act: doing(() => rotate(endpoint)),
    },
    offers("DELETE /v1/webhook-endpoints/{}") &&
      !endpoint.from_config && { label: "Remove", icon: "trash", danger: true, act: doing(() => drop(endpoint, done)) },
  ];
}

async function list(view, signal) {
  const at = h("div"),
    draw = () =>
      loaded(at, async () => {
        const { data } = await get("/v1/webhook-endpoints", null, signal);
        if (!data.length)
          return empty(
            "Nobody is told yet.",
            "A webhook is an address of yours that this server posts each event to, signed, and again until it is taken.",
            button("Add a webhook", () => add(draw), { kind: "primary", picture: "plus" }),
          );
        return h(
          "section.card",
          null,
          smallTable(
            "Webhooks",
            [
              ["Address", (one) => h("a", { href: `#/webhooks/${part(one.id)}` }, one.url)],
              [
                "State",
                (one) => [stateOf(one), one.disabled_reason && h("span.hint", null, " " + one.disabled_reason)],
              ],
              ["Events", (one) => (one.events.length ? one.events.join(", ") : "all")],
              ["Since", (one) => when(one.created_at)],
              ["", (one) => menuButton(`Actions for ${one.url}`, () => actions(one, draw)), "act"],
            ],
            data,
          ),
        );
      });
  put(
    view,
    heading(
      "Webhooks",
      offers("POST /v1/webhook-endpoints") &&
        button("Add a webhook", () => add(draw), { kind: "primary", picture: "plus" }),
    ),
    at,
  );
  await draw();
}

const results = {
  delivered: ["good", "check"],
  pending: ["work", "clock"],
  failed: ["bad", "cross"],
  given_up: ["bad", "cross"],
  retrying: ["warn", "repeat"],
};

function deliveryTable(endpoint, rows, again) {
  return smallTable(
    "Deliveries, the newest first",
    [
      ["Event", (one) => eventText(one.type)],
      [
        "Result",
        (one) => [
          badge(...(results[one.status] || ["off", "dot"]), words(one.status)),
          one.error && h("span.hint", null, " " + one.error),
        ],
      ],
      ["Answer", (one) => one.http_status || "–"],
      ["Tries", (one) => number(one.tries), "num"],
      ["Made", (one) => when(one.created_at)],
      ["Tried", (one) => when(one.tried_at)],
      ["Next try", (one) => (one.status !== "delivered" && one.next_at ? when(one.next_at, { ago: true }) : "–")],
      [
        "",
        (one) =>
          offers("POST /v1/webhook-endpoints/{}/deliveries/{}/replay") &&
          button(
            "Replay",
            doing(async () => {
              await post(path(endpoint, `/deliveries/${part(one.id)}/replay`));
              toast("It is sent again");
              setTimeout(again, 700);
            }),
          ),
        "act",
      ],
    ],
    rows,
  );
}

async function one(view, id, signal) {
  const rows = h("div"),
    about = h("div");
  let endpoint = await get(`/v1/webhook-endpoints/${part(id)}`, null, signal),
    next = null,
    all = [];
  const drawRows = () =>
    put(
      rows,
      all.length
        ? deliveryTable(endpoint, all, look)
        : h("p.hint", null, "Nothing was sent to it yet. Send a test event to see that it works."),
      next &&
        h(
          "div.actions",
          null,
          button(
            "Older ones",
            doing(async () => {
              await more(next);
              drawRows();
            }),
          ),
        ),
    );
  const more = async (cursor) => {
    const page = await get(path(endpoint, "/deliveries"), { limit: 50, cursor }, signal);
    all = cursor ? [...all, ...page.data] : page.data;
    next = page.has_more ? page.next_cursor : null;
  };
  const look = () =>
    loaded(rows, async () => {
      await more(null);
      drawRows();
      return [...rows.childNodes];
    });
  const draw = async () => {
    try {
      endpoint = await get(`/v1/webhook-endpoints/${part(id)}`, null, signal);
    } catch (error) {
      if (error.status === 404) {
        location.hash = "/webhooks";
        return;
      }
      throw error;
    }
    put(
      about,
      facts([
        ["Address", endpoint.url],
        ["State", [stateOf(endpoint), endpoint.disabled_reason && " " + endpoint.disabled_reason]],
        ["Events", endpoint.events.length ? endpoint.events.join(", ") : "All but those of single pages and rings"],
        ["Since", when(endpoint.created_at)],
        ["From", endpoint.from_config ? "faxd.conf: it is changed there" : null],
      ]),
    );
    setTimeout(look, 600);
  };
  put(
    view,
    h("p", null, h("a", { href: "#/webhooks" }, "← Webhooks")),
    heading(
      "Webhook",
      offers("POST /v1/webhook-endpoints/{}/test") &&
        button(
          "Send a test event",
          doing(async () => {
            await post(path(endpoint, "/test"));
            toast("On its way");
            setTimeout(look, 600);
          }),
          { picture: "send" },
        ),
      menuButton("More actions", () => actions(endpoint, draw)),
    ),
    card("This webhook", about),
    card("Deliveries", rows),
  );
  await draw();
  await look();
  let timer = null;
  follow(() => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!signal.aborted) look();
    }, 800);
  }, signal);
}

export function show(view, { params, signal }) {
  return params.id ? one(view, params.id, signal) : list(view, signal);
}
