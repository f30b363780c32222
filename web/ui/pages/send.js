// Send a fax: numbers, documents, cover page, options; beside them what will go over the line, made by the server.
import { h, put } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { call, get, nonce, part } from "../lib/api.js";
import { offers } from "../lib/access.js";
import { toast } from "../lib/dialog.js";
import { card, heading } from "../lib/parts.js";
import { clearFaults, field, showFaults } from "../lib/form.js";
import { plural } from "../lib/format.js";
import { previewer } from "../lib/preview.js";
import { recipients } from "../lib/recipients.js";
import { asForm, base64, coverField, documentsField, optionFields, optionsOf } from "../lib/send_form.js";

async function optional(name, path, take) {
  if (!offers(name)) return [];
  try {
    return take(await get(path));
  } catch {
    return [];
  }
}

async function sendAll(numbers, body, files, form) {
  if (numbers.length === 1)
    return [
      await call("POST", "/v1/faxes", {
        form: asForm({ to: numbers[0], ...body }, files),
        headers: { "Idempotency-Key": form.dataset.once },
      }),
    ];
  if (offers("POST /v1/batches")) {
    const documents = await Promise.all(files.map(async (file) => ({ data: await base64(file), filename: file.name })));
    const batch = await call("POST", "/v1/batches", {
      json: { ...body, ...(documents.length ? { documents } : {}), recipients: numbers.map((to) => ({ to })) },
      headers: { "Idempotency-Key": form.dataset.once },
    });
    return [batch];
  }
  const sent = [];
  for (const [at, to] of numbers.entries()) {
    try {
      sent.push(
        await call("POST", "/v1/faxes", {
          form: asForm({ to, ...body }, files),
          headers: { "Idempotency-Key": `${form.dataset.once}-${at}` },
        }),
      );
    } catch (error) {
      error.message = `${to}: ${error.message}${sent.length ? ` The ${plural(sent.length, "number")} before it are on the way.` : ""}`;
      throw error;
    }
  }
  return sent;
}

function welcome(lines) {
  const own = lines
    .map((line) => line.number)
    .filter(Boolean)
    .slice(0, 4);
  return h(
    "div.note",
    null,
    h("p", null, h("strong", null, "Send a first fax: "), "a number, a document, Send. Then you can watch it go."),
    own.length > 0 &&
      h(
        "p",
        null,
        `The lines of this server answer too: a fax to ${own.slice(1).join(", ") || own[0]} comes back into the inbox.`,
      ),
  );
}

export async function show(view, { query, signal }) {
  const wanted = query.get("contact");
  const [covers, identities, lines, contact] = await Promise.all([
    optional("GET /v1/cover-pages", "/v1/cover-pages?limit=200", (reply) => reply.data),
    optional("GET /v1/identities", "/v1/identities", (reply) => reply.data),
    optional("GET /v1/lines", "/v1/lines", (reply) => reply.data),
    wanted ? optional("GET /v1/contacts/{}", `/v1/contacts/${part(wanted)}`, (found) => [found]) : [],
  ]);
  const groups = [...new Set(lines.flatMap((line) => line.groups || []))];
  const changed = () => {
    form.dataset.once = nonce();
    sum();
    preview?.look();
  };
  const to = recipients({
    value: query.get("to"),
    contact: contact[0],
    changed: () => {
      form.dataset.once = nonce();
      sum();
    },
  });
  const documents = documentsField(() => changed());
  const cover = coverField(covers, () => changed());
  const text = field("Or type a message", {
    name: "message",
    type: "textarea",
    rows: 4,
    pointer: "/message",
    hint: "Becomes a page of text.",
    oninput: () => changed(),
  });
  const now = new Date(Date.now() - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  const summary = h("p.hint", { role: "status" });
  const submit = h("button.primary.go", { type: "submit" }, icon("send"), "Send");
  const form = h(
    "form.send",
    { novalidate: true, autocomplete: "off" },
    h(
      "div",
      null,
      card("To", to.box),
      card("Documents", documents.box, h("details", null, h("summary", null, "Type a message instead"), text)),
      card("Cover page", cover.box),
      h(
        "section.card",
        null,
        h(
          "details",
          { onchange: () => changed() },
          h("summary", null, "Time, sender and other options"),
          optionFields(identities, groups, now),
        ),
      ),
    ),
    h(
      "div.send-side",
      null,
      h("section.card", { "aria-label": "What will be sent" }, h("h2", null, "As it is sent"), null),
      h("div.form-fault", { role: "alert", hidden: true }),
      summary,
      submit,
    ),
  );
  form.dataset.once = nonce();
  const filesNow = () => {
    const typed = form.elements.message.value.trim();
    return typed
      ? [...documents.files, new File([typed + "\n"], "message.txt", { type: "text/plain" })]
      : documents.files;
  };
  const preview = offers("POST /v1/previews")
    ? previewer(
        () => ({
          body: { ...optionsOf(form, cover), hold: undefined, not_before: undefined, expires_at: undefined },
          files: filesNow(),
        }),
        form,
        signal,
      )
    : null;
  form
    .querySelector(".send-side .card")
    .append(preview ? preview.at : h("p.hint", null, "Previews are not available to you."));
  function sum() {
    const names = to.names();
    summary.textContent = names.length
      ? `Goes to ${names.length === 1 ? names[0] : plural(names.length, "number")}.`
      : "";
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    to.settle();
    clearFaults(form);
    const numbers = to.numbers(),
      files = filesNow(),
      body = optionsOf(form, cover);
    const errors = [];
    if (!numbers.length) errors.push({ pointer: "/to", detail: "A number to send to is needed." });
    if (!files.length && !body.cover_page)
      errors.push({ pointer: "/documents", detail: "Choose a document, type a message, or take a cover page." });
    if (errors.length) return showFaults(form, { errors });
    if (submit.getAttribute("aria-disabled")) return;
    submit.setAttribute("aria-disabled", "true");
    put(submit, icon("clock"), "Storing…");
    try {
      const sent = await sendAll(numbers, body, files, form);
      if (signal.aborted) return;
      toast(
        numbers.length === 1 ? "Accepted. It is stored and on its way." : `Accepted for ${numbers.length} numbers.`,
      );
      location.hash =
        numbers.length > 1
          ? sent[0].counts
            ? `/batches/${part(sent[0].id)}`
            : "/queue"
          : `/faxes/${part(sent[0].id)}`;
    } catch (error) {
      showFaults(form, error);
    } finally {
      submit.removeAttribute("aria-disabled");
      put(submit, icon("send"), "Send");
    }
  });
  sum();
  put(view, heading("Send a fax"), query.get("welcome") && welcome(lines), form);
  view.querySelector(".numbers input").focus();
}
