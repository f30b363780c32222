// API keys: made and shown once, with scopes, expiry and limits; rotated with an overlap; revoked.
import { h, put } from "../lib/dom.js";
import { get, part, patch, post, remove } from "../lib/api.js";
import { bodyHas, offers } from "../lib/access.js";
import { confirmed, menuButton, openDialog, toast } from "../lib/dialog.js";
import { button, copy, doing, empty, heading, loaded, showSecret, smallTable } from "../lib/parts.js";
import { badge } from "../lib/words.js";
import { check, field, form, listOf } from "../lib/form.js";
import { fromLocal, toLocal, when } from "../lib/format.js";

const SCOPES = [
  ["fax:send", "Send faxes and make previews"],
  ["fax:read", "See faxes, lines and events"],
  ["fax:cancel", "Cancel, hold and release"],
  ["document:read", "See and save pages"],
  ["inbox:manage", "Work with received faxes"],
  ["config:*", "Everything about the server: lines, webhooks, keys"],
  ["audit:read", "Read the audit log"],
];
const has = (name) => bodyHas("POST /v1/api-keys", name);

function scopeBoxes(scopes) {
  const box = h(
    "fieldset.checks",
    null,
    h("legend", null, "What it may do"),
    SCOPES.map(([scope, text]) => {
      const one = check(`${text} (${scope})`, {
        name: "scopes",
        value: scope,
        checked: scopes.includes(scope),
        "data-list": true,
      });
      delete one.dataset.pointer;
      return one;
    }),
    h("p.fault", { hidden: true }),
  );
  box.dataset.pointer = "/scopes";
  return box;
}

async function users() {
  if (!has("user") || !offers("GET /v1/users")) return [];
  return (await get("/v1/users", { limit: 200 })).data;
}

// What a new key and one that is changed have in common.
function bounds(key = {}) {
  return [
    h(
      "div.pair",
      null,
      field("Only from", {
        name: "allow_from",
        value: (key.allow_from || []).join(", "),
        placeholder: "192.0.2.0/24",
        hint: "Addresses or networks with commas. Empty: from everywhere.",
      }),
      field("Requests a minute", {
        name: "per_minute",
        type: "number",
        min: 0,
        value: key.per_minute || "",
        hint: "Empty: as the server has it.",
      }),
    ),
  ];
}

const nameField = (key = {}) =>
  field("Name", {
    name: "name",
    required: true,
    maxlength: 127,
    value: key.name,
    hint: "What uses it: billing, hospital system, my script.",
  });

const expiryField = (key = {}) =>
  field("Expires", {
    name: "expires_at",
    type: "datetime-local",
    value: key.expires_at ? toLocal(key.expires_at) : "",
    hint: "Your time. Empty: never.",
  });

async function add(done) {
  const people = await users();
  await openDialog("New API key", (close) =>
    form(
      {
        action: "Make the key",
        cancel: () => close(),
        submit: async (data) => {
          const body = { name: data.name, scopes: data.scopes };
          if (data.expires_at) body.expires_at = fromLocal(data.expires_at);
          if (data.test) body.test = true;
          if (data.user) body.user = data.user;
          if (data.allow_from && listOf(data.allow_from).length) body.allow_from = listOf(data.allow_from);
          if (data.per_minute) body.per_minute = Number(data.per_minute);
          const made = await post("/v1/api-keys", body);
          close();
          await shown("The new key", made.token);
          done();
        },
      },
      nameField(),
      scopeBoxes(["fax:send", "fax:read"]),
      h(
        "div.pair",
        null,
        expiryField(),
        people.length > 0 &&
          field("Belongs to", {
            name: "user",
            options: [
              ["", "Nobody: sees all that its scopes say"],
              ...people.map((one) => [one.id, one.display_name || one.name]),
            ],
          }),
      ),
      bounds(),
      check("For tests: faxes made with it place no call", { name: "test" }),
    ),
  );
}

// An end that was not touched is not written anew: the field has no seconds.
function changesOf(key, data) {
  const body = {
    name: data.name,
    scopes: data.scopes,
    allow_from: listOf(data.allow_from || ""),
    per_minute: Number(data.per_minute || 0),
  };
  if (data.expires_at !== (key.expires_at ? toLocal(key.expires_at) : ""))
    body.expires_at = data.expires_at ? fromLocal(data.expires_at) : null;
  return body;
}

const change = (key, done) =>
  openDialog(`Change ${key.name}`, (close) =>
    form(
      {
        action: "Save",
        cancel: () => close(),
        submit: async (data) => {
          await patch(`/v1/api-keys/${part(key.id)}`, changesOf(key, data));
          close();
          toast("Saved. It holds from now on; the secret is the same.");
          done();
        },
      },
      nameField(key),
      scopeBoxes(key.scopes),
      h("div.pair", null, expiryField(key)),
      bounds(key),
    ),
  );

function shown(title, token) {
  const line = `curl -H "Authorization: Bearer ${token}" -F to=NUMBER -F file=@page.pdf ${location.origin}/v1/faxes`;
  return showSecret(
    title,
    "It is shown this once; the server keeps only what it needs to know it again.",
    token,
    h(
      "div.field",
      null,
      h("h3", null, "Try it"),
      h("pre", { tabindex: "0" }, line),
      h(
        "div.actions",
        null,
        button("Copy the line", () => copy(line, "The line is")),
      ),
    ),
  );
}

const rotate = (key, done) =>
  openDialog(`A new secret for ${key.name}`, (close) =>
    form(
      {
        action: "Rotate",
        cancel: () => close(),
        submit: async (data) => {
          const made = await post(`/v1/api-keys/${part(key.id)}/rotate`, { overlap_s: Number(data.overlap) });
          close();
          await shown("The new secret", made.token);
          done();
        },
      },
      field("The old one works for another", {
        name: "overlap",
        options: [
          ["0", "moment: it ends at once"],
          ["3600", "hour"],
          ["86400", "day"],
          ["604800", "week"],
        ],
        value: "86400",
      }),
    ),
  );

async function revoke(key, done) {
  if (
    !(await confirmed(
      `Revoke ${key.name}?`,
      "What uses it is locked out at once. A revoked key does not come back.",
      "Revoke it",
    ))
  )
    return;
  await remove(`/v1/api-keys/${part(key.id)}`);
  toast("Revoked");
  done();
}

function limitsOf(key) {
  const list = [
    key.user && "belongs to a user",
    (key.allow_from || []).length && `only from ${key.allow_from.join(", ")}`,
    key.per_minute && `${key.per_minute} a minute`,
    key.old_token_until &&
      new Date(key.old_token_until) > new Date() &&
      "the old secret works until " + new Date(key.old_token_until).toLocaleString(),
  ].filter(Boolean);
  return list.length > 0 && h("span.hint", null, h("br"), list.join("; "));
}

function stateOf(key) {
  if (key.revoked_at) return badge("off", "off", "Revoked");
  if (key.expires_at && new Date(key.expires_at) < new Date()) return badge("off", "clock", "Expired");
  return badge("good", "check", key.test ? "Test" : "Live");
}

export async function show(view, { signal }) {
  const at = h("div"),
    draw = () =>
      loaded(at, async () => {
        const { data } = await get("/v1/api-keys", null, signal);
        if (!data.length)
          return empty(
            "No keys.",
            "A key lets a program use this server.",
            button(
              "Make a key",
              doing(() => add(draw)),
              { kind: "primary" },
            ),
          );
        return h(
          "section.card",
          null,
          smallTable(
            "API keys",
            [
              ["Name", (one) => [one.name, limitsOf(one)]],
              ["State", stateOf],
              [
                "May",
                (one) =>
                  h(
                    "span.chips",
                    null,
                    one.scopes.map((scope) => h("span.chip", null, scope)),
                  ),
              ],
              ["Made", (one) => when(one.created_at)],
              ["Last used", (one) => (one.last_used_at ? when(one.last_used_at, { ago: true }) : "never")],
              ["Expires", (one) => (one.expires_at ? when(one.expires_at) : "never")],
              [
                "",
                (one) =>
                  !one.revoked_at &&
                  menuButton(`Actions for ${one.name}`, () => [
                    offers("PATCH /v1/api-keys/{}") && { label: "Change", icon: "key", act: () => change(one, draw) },
                    offers("POST /v1/api-keys/{}/rotate") && {
                      label: "Rotate",
                      icon: "repeat",
                      act: () => rotate(one, draw),
                    },
                    offers("DELETE /v1/api-keys/{}") && {
                      label: "Revoke",
                      icon: "trash",
                      danger: true,
                      act: doing(() => revoke(one, draw)),
                    },
                  ]),
                "act",
              ],
            ],
            data,
          ),
        );
      });
  put(
    view,
    heading(
      "API keys",
      offers("POST /v1/api-keys") &&
        button(
          "Make a key",
          doing(() => add(draw)),
          { kind: "primary", picture: "plus" },
        ),
    ),
    at,
  );
  await draw();
}
