// What calls have taught about each number: how it is called next, how often that went well, whether it is suspended.
import { h, put } from "../lib/dom.js";
import { get, part, patch, remove } from "../lib/api.js";
import { bodyHas, offers } from "../lib/access.js";
import { LongTable } from "../lib/table.js";
import { confirmed, menuButton, openDialog, toast } from "../lib/dialog.js";
import { doing, empty, facts, heading } from "../lib/parts.js";
import { field, form } from "../lib/form.js";
import { badge } from "../lib/words.js";
import { percent, when, words } from "../lib/format.js";

const path = (one) => `/v1/destinations/${part(one.number)}`;
const ways = { auto: "As it comes", t38: "T.38", g711: "Audio (G.711)" };
const times = (record) => (record ? `${record.ok} good, ${record.failed} failed` : "–");
const share = (one) => (one.success_rate === undefined || one.success_rate === null ? null : percent(one.success_rate));

function stateOf(one) {
  if (one.suspended) return badge("bad", "pause", "Suspended");
  const rate = one.success_rate;
  if (rate === undefined || rate === null) return badge("off", "dot", "Called");
  return badge(
    ...(rate > 0.8 ? ["good", "check"] : rate > 0.4 ? ["warn", "warn"] : ["bad", "cross"]),
    `${percent(rate)} went well`,
  );
}

const details = (one) =>
  openDialog(one.number, () =>
    facts([
      ["Next call by", ways[one.transport] || one.transport],
      ["Because", one.reason],
      ["T.38", times(one.t38)],
      ["Audio", times(one.g711)],
      ["Success", share(one)],
      ["Last outcome", words(one.last_outcome)],
      ["Last call", when(one.last_at)],
      [
        "Suspended",
        one.suspended && `${one.suspended.reason} (since ${new Date(one.suspended.since).toLocaleString()})`,
      ],
      ["Always by", one.forced_transport && one.forced_transport !== "auto" && ways[one.forced_transport]],
    ]),
  );

const force = (one, done) =>
  openDialog(`How ${one.number} is called`, (close) =>
    form(
      {
        action: "Save",
        cancel: () => close(),
        submit: async (data) => {
          done(await patch(path(one), { forced_transport: data.forced_transport }));
          close();
        },
      },
      field("Transport", {
        name: "forced_transport",
        options: [
          ["auto", "As calls have taught"],
          ["t38", "Always T.38"],
          ["g711", "Always audio"],
        ],
        value: one.forced_transport || "auto",
      }),
    ),
  );

const suspend = (one, done) =>
  openDialog(`Suspend ${one.number}`, (close) =>
    form(
      {
        action: "Suspend",
        cancel: () => close(),
        danger: true,
        submit: async (data) => {
          done(await patch(path(one), { suspended: true, ...(data.reason ? { reason: data.reason } : {}) }));
          close();
        },
      },
      field("Reason", { name: "reason", hint: "Faxes to it are refused with this until it is called again." }),
    ),
  );

async function resume(one, done) {
  done(await patch(path(one), { suspended: false }));
  toast(`${one.number} is called again`);
}

async function forget(one, gone) {
  if (
    !(await confirmed(
      `Forget ${one.number}?`,
      "What calls have taught is deleted; the next call finds out anew.",
      "Forget it",
    ))
  )
    return;
  await remove(path(one));
  gone();
}

export async function show(view, { signal }) {
  const done = (one) => table.update(one),
    may = offers("PATCH /v1/destinations/{}");
  const table = new LongTable({
    caption: "Numbers that were called",
    signal,
    key: (one) => one.number,
    columns: [
      {
        name: "number",
        label: "Number",
        phone: "title",
        show: (one) => h("button.quiet", { type: "button", onclick: () => details(one) }, one.number),
      },
      { name: "status", label: "State", phone: "sub", show: (one) => stateOf(one) },
      {
        name: "who",
        label: "Next call by",
        phone: "note",
        show: (one) =>
          one.forced_transport && one.forced_transport !== "auto"
            ? `Always ${ways[one.forced_transport]}`
            : ways[one.transport] || one.transport,
      },
      {
        name: "reason",
        label: "Last result",
        show: (one) => (one.suspended ? `suspended: ${one.suspended.reason}` : words(one.last_outcome)) || "–",
      },
      { name: "when", label: "Last call", phone: "side", show: (one) => when(one.last_at) },
      {
        name: "act",
        label: "",
        phone: "end",
        show: (one) =>
          menuButton(`Actions for ${one.number}`, () => [
            one.suspended && may && { label: "Call it again", icon: "play", act: doing(() => resume(one, done)) },
            !one.suspended &&
              may &&
              bodyHas("PATCH /v1/destinations/{}", "suspended") && {
                label: "Suspend",
                icon: "pause",
                act: () => suspend(one, done),
              },
            may && { label: "Choose the transport", icon: "call", act: () => force(one, done) },
            offers("DELETE /v1/destinations/{}") && {
              label: "Forget",
              icon: "trash",
              danger: true,
              act: doing(() => forget(one, () => table.drop(one.number))),
            },
          ]),
      },
    ],
    load: (cursor) => get("/v1/destinations", { limit: 100, cursor }, signal),
    empty: () => empty("No number has taught anything yet.", "After calls, how each number is best reached is here."),
  });
  put(view, heading("Destinations"), table.element);
  await table.reload();
}
