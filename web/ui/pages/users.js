// Users and what they may do.
import { h, put } from "../lib/dom.js";
import { part, patch } from "../lib/api.js";
import { me, offers } from "../lib/access.js";
import { toast } from "../lib/dialog.js";
import { doing, heading } from "../lib/parts.js";
import { bodyOf, editor } from "../lib/editing.js";
import { check, field } from "../lib/form.js";
import { badge } from "../lib/words.js";
import { capital, when } from "../lib/format.js";

const ROLES = [
  ["admin", "Administrator: everything"],
  ["operator", "Operator: all faxes, inboxes, lines, contacts and rules"],
  ["sender", "Sender: sends, and sees its own faxes"],
  ["reader", "Reader: sees all faxes, changes nothing"],
];

function fieldsOf(user) {
  const one = user || {};
  return [
    !user &&
      field("Name to sign in with", {
        name: "name",
        required: true,
        autocomplete: "off",
        autocapitalize: "none",
        spellcheck: "false",
      }),
    h(
      "div.pair",
      null,
      field("Name to show", { name: "display_name", value: one.display_name }),
      field("Email", { name: "email", type: "email", value: one.email }),
    ),
    field("Role", { name: "role", options: ROLES, value: one.role || "sender" }),
    field(user ? "New password" : "Password", {
      name: "password",
      type: "password",
      required: !user,
      autocomplete: "new-password",
      hint: user
        ? "Empty: it stays as it is. A new one ends the user's sessions."
        : "A few words; long is better than odd.",
    }),
    user && check("Locked out", { name: "disabled", checked: one.disabled }),
  ];
}

function stateOf(user) {
  if (user.disabled) return badge("off", "off", "Locked out");
  if (user.locked_until && new Date(user.locked_until) > new Date())
    return h(
      "span",
      null,
      badge("warn", "clock", "Waits"),
      h("span.hint", null, " after wrong passwords, until ", when(user.locked_until)),
    );
  return badge("good", "check", "Active");
}

export async function show(view, { signal }) {
  const list = editor(
    {
      path: "/v1/users",
      one: "user",
      many: "Users",
      none: ["No users.", "Without users the pages open with an API key."],
      gone: "It cannot sign in any more. Its faxes stay.",
      name: (one) => one.display_name || one.name,
      columns: [
        [
          "Name",
          (one) => [
            one.display_name || one.name,
            one.display_name && one.display_name !== one.name && h("span.hint", null, ` ${one.name}`),
            me() && me().id === one.id && h("span.hint", null, " (you)"),
          ],
        ],
        ["Role", (one) => capital(one.role)],
        ["State", stateOf],
        ["Email", (one) => one.email || "–"],
        ["Last sign-in", (one) => (one.last_login_at ? when(one.last_login_at, { ago: true }) : "never")],
      ],
      fields: fieldsOf,
      body: (data, before) => ({
        ...bodyOf(data, before, ["display_name", "email"]),
        ...(before ? { disabled: data.disabled } : { name: data.name }),
        role: data.role,
        ...(data.password ? { password: data.password } : {}),
      }),
      extra: (one, draw) => [
        offers("PATCH /v1/users/{}") && {
          label: one.disabled ? "Let in again" : "Lock out",
          icon: "off",
          act: doing(async () => {
            await patch(`/v1/users/${part(one.id)}`, { disabled: !one.disabled });
            toast(one.disabled ? "Let in again" : "Locked out; its sessions have ended");
            draw();
          }),
        },
      ],
    },
    signal,
  );
  put(view, heading("Users", list.adder), h("section.card", null, list.element));
  await list.draw();
}
