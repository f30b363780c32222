// The audit log: who sent, saw, saved, changed and deleted what; checked as a chain, saved as CSV.
import { h, put, settled } from "../lib/dom.js";
import { address, ask, get, part } from "../lib/api.js";
import { offers } from "../lib/access.js";
import { LongTable } from "../lib/table.js";
import { openDialog } from "../lib/dialog.js";
import { button, doing, empty, facts, heading } from "../lib/parts.js";
import { bytes, fromLocal, number, when, words } from "../lib/format.js";

const kinds = { user: "", key: "key ", server: "the server", unknown: "somebody" };
const who = (one) =>
  `${kinds[one.actor && one.actor.kind] ?? ""}${(one.actor && one.actor.kind !== "server" && (one.actor.name || one.actor.id)) || ""}`.trim() ||
  "–";

const details = (one) =>
  openDialog(
    `Entry ${one.sequence}`,
    () => [
      facts([
        ["When", when(one.at, { seconds: true })],
        ["Who", who(one)],
        ["From", one.address],
        ["What", words(one.action.replace(".", " "))],
        [
          "With",
          /^fax_/.test(one.object || "") ? h("a", { href: `#/faxes/${part(one.object)}` }, one.object) : one.object,
        ],
        ["Hash", h("code", null, one.hash)],
        ["Before it", h("code", null, one.previous)],
      ]),
      one.detail &&
        Object.keys(one.detail).length > 0 &&
        h("pre", { tabindex: "0" }, JSON.stringify(one.detail, null, 2)),
    ],
    { wide: true },
  );

async function verify(at) {
  put(at, h("p.loading", null, "Checking every entry…"));
  const result = await get("/v1/audit-log/verify");
  const how = { changed: "was changed", missing: "is missing", added: "was added" };
  put(
    at,
    h(
      "div.note",
      { class: result.ok ? "tone-good" : "tone-bad" },
      h(
        "p",
        null,
        result.ok
          ? `The chain is whole: ${number(result.entries)} entries, none changed, none missing.`
          : `The chain is broken: entry ${result.broken.sequence} ${how[result.broken.reason] || words(result.broken.reason)}.`,
      ),
    ),
  );
}

const nextOf = (reply) => (/<([^>]+)>;\s*rel="next"/.exec(reply.headers.get("Link") || "") || [])[1];

// All that fits, page after page. Each begins with the line that names the columns; the first one's is enough.
async function csvOf(query, at, signal) {
  const parts = [];
  let size = 0;
  for (let from = address("/v1/audit-log", { limit: 10000, ...query }); from; ) {
    const reply = await ask("GET", from, { headers: { Accept: "text/csv" }, signal });
    const text = await reply.text();
    parts.push(parts.length ? text.slice(text.indexOf("\n") + 1) : text);
    size += text.length;
    from = nextOf(reply);
    if (from) put(at, h("p.loading", null, `Fetching the entries: ${bytes(size)} so far…`));
  }
  return new Blob(parts, { type: "text/csv" });
}

async function save(query, at, signal) {
  put(at, h("p.loading", null, "Fetching the entries…"));
  try {
    const csv = await csvOf(query, at, signal);
    const anchor = h("a", { href: URL.createObjectURL(csv), download: "audit-log.csv" });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
  } finally {
    put(at);
  }
}

export async function show(view, { query, signal }) {
  const result = h("div", { role: "status" });
  const form = h(
    "form.filters",
    { role: "search", onsubmit: (event) => event.preventDefault() },
    h("input", {
      name: "actor",
      value: query.get("actor") || "",
      placeholder: "Who (usr_… or key_…)",
      "aria-label": "Who",
    }),
    h("input", {
      name: "action",
      value: query.get("action") || "",
      placeholder: "What: fax.sent",
      "aria-label": "What",
    }),
    h("input.grow", {
      name: "object",
      value: query.get("object") || "",
      placeholder: "With what: fax_…",
      "aria-label": "With what",
    }),
    h("label.inline", null, "From", h("input", { name: "from", type: "datetime-local" })),
    h("label.inline", null, "Until", h("input", { name: "to", type: "datetime-local" })),
  );
  const wanted = () => {
    const data = Object.fromEntries(new FormData(form));
    return {
      actor: data.actor.trim(),
      action: data.action.trim(),
      object: data.object.trim(),
      from: fromLocal(data.from),
      to: fromLocal(data.to),
    };
  };
  const table = new LongTable({
    caption: "Audit log",
    signal,
    key: (one) => String(one.sequence),
    columns: [
      { name: "when", label: "When", phone: "side", show: (one) => when(one.at) },
      {
        name: "reason",
        label: "What",
        phone: "title",
        show: (one) =>
          h("button.quiet", { type: "button", onclick: () => details(one) }, words(one.action.replace(".", " "))),
      },
      { name: "who", label: "Who", phone: "sub", show: who },
      {
        name: "number",
        label: "With",
        phone: "note",
        show: (one) =>
          /^fax_/.test(one.object || "")
            ? h("a", { href: `#/faxes/${part(one.object)}` }, one.object)
            : one.object || "–",
      },
      { name: "who", label: "From", show: (one) => one.address || "–" },
    ],
    load: (cursor) => get("/v1/audit-log", { limit: 100, ...wanted(), cursor }, signal),
    empty: () => empty("Nothing fits.", "Take a filter away to see more."),
  });
  form.addEventListener(
    "input",
    settled(() => table.reload(), 300),
  );
  put(
    view,
    heading(
      "Audit log",
      offers("GET /v1/audit-log/verify") &&
        button(
          "Check the chain",
          doing(() => verify(result)),
          { picture: "audit" },
        ),
      button(
        "Save as CSV",
        doing(() => save(wanted(), result, signal)),
        { picture: "down" },
      ),
    ),
    result,
    form,
    table.element,
  );
  await table.reload();
}
