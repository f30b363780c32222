// Batches: one document to many numbers, and how far they are.
import { h, lazily, put } from "../lib/dom.js";
import { get, isAbort, part, post } from "../lib/api.js";
import { offers } from "../lib/access.js";
import { follow } from "../lib/stream.js";
import { LongTable } from "../lib/table.js";
import { confirmed, fault, toast } from "../lib/dialog.js";
import { button, card, doing, empty, facts, heading, smallTable } from "../lib/parts.js";
import { badge, ENDED, statusBadge } from "../lib/words.js";
import { number, plural, when } from "../lib/format.js";

const states = {
  running: ["work", "up", "Under way"],
  done: ["good", "check", "Done"],
  canceled: ["off", "off", "Canceled"],
};
const stateOf = (batch) => badge(...(states[batch.status] || ["off", "dot", batch.status]));
const ended = (batch) =>
  Object.entries(batch.counts || {}).reduce((sum, [status, count]) => sum + (ENDED.includes(status) ? count : 0), 0);
const bar = (batch) =>
  h("progress", {
    max: Math.max(1, batch.total),
    value: ended(batch),
    "aria-label": `${ended(batch)} of ${batch.total} have ended`,
  });

async function list(view, signal) {
  const table = new LongTable({
    caption: "Batches",
    signal,
    href: (one) => `#/batches/${part(one.id)}`,
    columns: [
      { name: "when", label: "Made", phone: "side", show: (one) => when(one.created_at) },
      {
        name: "number",
        label: "Numbers",
        phone: "title",
        show: (one) => h("a", { href: `#/batches/${part(one.id)}` }, plural(one.total, "number")),
      },
      { name: "status", label: "State", phone: "sub", show: stateOf },
      { name: "reason", label: "Ended", phone: "note", show: bar },
    ],
    load: (cursor) => get("/v1/batches", { limit: 100, cursor }, signal),
    empty: () => empty("No batches.", "Enter several numbers when you send, and they become one."),
  });
  put(
    view,
    heading("Batches", offers("POST /v1/batches") && h("a.button.primary", { href: "#/send" }, "Send a fax")),
    table.element,
  );
  await table.reload();
}

async function one(view, id, signal) {
  const at = h("div"),
    head = h("div");
  const draw = async () => {
    const batch = await get(`/v1/batches/${part(id)}`, null, signal),
      counts = Object.entries(batch.counts || {}).filter(([, count]) => count > 0);
    put(
      head,
      heading(
        plural(batch.total, "number"),
        h("a.button", { href: `#/sent?batch=${part(id)}` }, "Its faxes that ended"),
        h("a.button", { href: `#/queue?batch=${part(id)}` }, "Those under way"),
        batch.status === "running" &&
          offers("POST /v1/batches/{}/cancel") &&
          button(
            "Cancel",
            doing(async () => {
              if (
                !(await confirmed(
                  "Cancel the batch?",
                  "Faxes that have not ended are canceled; calls under way are ended.",
                  "Cancel the batch",
                  { keep: "Let it go on" },
                ))
              )
                return;
              await post(`/v1/batches/${part(id)}/cancel`);
              toast("Canceled");
              draw();
            }),
            { kind: "danger" },
          ),
      ),
    );
    put(
      at,
      card(
        "How far it is",
        h("p", null, stateOf(batch)),
        bar(batch),
        facts([
          ["Ended", `${number(ended(batch))} of ${number(batch.total)}`],
          ["Made", when(batch.created_at)],
          ["Id", h("code", null, batch.id)],
        ]),
      ),
      counts.length > 0 &&
        h(
          "section.card",
          null,
          smallTable(
            "By state",
            [
              ["State", ([status]) => statusBadge(status)],
              ["Faxes", ([, count]) => number(count), "num"],
            ],
            counts,
          ),
        ),
    );
  };
  const look = lazily(() => {
    if (!signal.aborted)
      draw().catch((error) => {
        if (!isAbort(error)) fault(error);
      });
  }, 1000);
  put(view, h("p", null, h("a", { href: "#/batches" }, "← Batches")), head, at);
  await draw();
  follow(() => look(), signal);
}

export const show = (view, { params, signal }) => (params.id ? one(view, params.id, signal) : list(view, signal));
