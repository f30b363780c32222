// Send a fax: numbers, documents, cover page, options; beside them what will go over the line, made by the server.
import { announce, freshId, h, put, settled } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { call, get, isAbort, nonce, part } from "../lib/api.js";
import { bodyHas, offers } from "../lib/access.js";
import { openDialog, toast } from "../lib/dialog.js";
import { card, heading, iconButton } from "../lib/parts.js";
import { check, clearFaults, field, listOf, showFaults } from "../lib/form.js";
import { bytes, capital, fromLocal, plural, seconds, words } from "../lib/format.js";
import { picture } from "../lib/picture.js";
import { recipients } from "../lib/recipients.js";

const ACCEPTED = ".pdf,.txt,.tif,.tiff,.jpg,.jpeg,.png,.gif,.bmp,.webp,.heic,.svg,.ps,.eps,.doc,.docx,.odt,.rtf,.xls,.xlsx,.ods,.html";
const FILES_MOST = 20;
const FILLED_IN = ["to_number", "from_number", "from_company", "date", "time", "pages"]; // by the server

// --- documents ---

function documentsField(changed) {
  const files = [], id = freshId("files");
  const list = h("ul.files", { "aria-label": "Documents, in the order in which they are sent" });
  const draw = () => put(list, files.map((file, at) => h("li", null, icon("file"), h("span.grow", { title: file.name }, file.name), h("small", null, bytes(file.size)),
    at > 0 && iconButton(`Move ${file.name} up`, "up", () => { files.splice(at - 1, 0, files.splice(at, 1)[0]); draw(); changed(); }),
    iconButton(`Remove ${file.name}`, "close", () => {
      files.splice(at, 1);
      draw();
      changed();
      toast(`${file.name} removed`, { action: "Undo", onaction: () => { files.splice(at, 0, file); draw(); changed(); } });
      input.focus();
    }, { class: "quiet icon-only" }))));
  const add = (more) => {
    for (const file of more) if (files.length < FILES_MOST) files.push(file);
    draw();
    changed();
    announce(plural(files.length, "document"));
  };
  const input = h("input.only-heard", { type: "file", id, multiple: true, accept: ACCEPTED, onchange: () => { add([...input.files]); input.value = ""; } });
  const drop = h("div.drop", {
    ondragover: (event) => { event.preventDefault(); drop.classList.add("over"); },
    ondragleave: () => drop.classList.remove("over"),
    ondrop: (event) => { event.preventDefault(); drop.classList.remove("over"); add([...event.dataTransfer.files]); },
  }, input, h("label.pick", { for: id }, icon("plus"), "Choose documents"), h("span", null, " or drop them here"),
  h("p.hint", null, "PDF, text, pictures; office documents where the server has a program for them. Several become one fax, in this order."));
  const box = h("div.field", null, drop, list, h("p.fault", { hidden: true }));
  box.dataset.pointer = "/documents";
  return { box, files, add };
}

// --- the cover page ---

function coverField(covers, changed) {
  const inside = h("div");
  const select = h("select", { name: "template", onchange: () => { draw(); changed(); } }, h("option", { value: "" }, "No cover page"),
    covers.map((cover) => h("option", { value: cover.name }, capital(words(cover.name)))));
  const kept = {};
  const draw = () => {
    const cover = covers.find((one) => one.name === select.value);
    const names = cover ? cover.fields.map((one) => (typeof one === "string" ? one : one.name)).filter((name) => !FILLED_IN.includes(name)) : [];
    put(inside, names.length > 0 && h("div.pair", null, names.map((name) => field(capital(words(name)), {
      name: "cover." + name, pointer: (name === "note" ? "/cover_page/note" : "/cover_page/fields/" + name), value: kept[name] || "", wide: true,
      type: name === "note" || name === "message" ? "textarea" : "text",
      oninput: (event) => { kept[name] = event.target.value; changed(); },
    }))));
  };
  const read = () => {
    if (!select.value) return null;
    const fields = {};
    for (const input of inside.querySelectorAll("[name]")) if (input.value.trim()) fields[input.name.slice(6)] = input.value.trim();
    return { template: select.value, fields };
  };
  return { box: h("div", null, field("Cover page", { control: select, name: "cover_page" }), inside), read };
}

// --- options ---

const choice = (label, name, list, extra = {}) => field(label, { name, options: list.map((one) => (Array.isArray(one) ? one : [one, capital(one)])), ...extra });

function optionFields(identities, groups, now) {
  const has = (name) => bodyHas("POST /v1/faxes", name);
  return [
    h("div.pair", null,
      choice("Priority", "priority", [["", "Normal"], "urgent", "high", "bulk"]),
      choice("Resolution", "resolution", [["", "Fine"], "standard", "superfine"]),
      choice("Grey tones", "dither", [["", "As fits the page"], ["threshold", "Black or white"], ["diffusion", "Fine dots"], ["halftone", "Raster"]]),
      choice("Paper for texts", "paper", [["", "As the server has it"], ["a4", "A4"], "letter", "legal"])),
    h("div.pair", null,
      field("Not before", { name: "not_before", type: "datetime-local", min: now, hint: "Your time. Empty: at once." }),
      field("Give up at", { name: "expires_at", type: "datetime-local", min: now })),
    h("div.pair", null,
      identities.length > 0 && choice("Send as", "from", [["", "The default"], ...identities.map((one) => [one.id, `${one.name}${one.number ? " – " + one.number : ""}`])]),
      field("Name in the header line", { name: "header.text", pointer: "/header/text", maxlength: 100, hint: "On top of each page, with date and page number." }),
      field("Station id", { name: "station_id", maxlength: 20, hint: "What the other machine shows." })),
    h("div.pair", null,
      field("Your reference", { name: "client_reference", maxlength: 255 }),
      field("Tags", { name: "tags", hint: "With commas between them." })),
    h("div.pair", null,
      field("Calls at most", { name: "retry.max_attempts", pointer: "/retry/max_attempts", type: "number", min: 1, max: 50 }),
      groups.length > 1 && choice("Group of lines", "route.group", [["", "Default"], ...groups.map((one) => [one, one])], { pointer: "/route/group" })),
    has("hold") && check("Prepare only, and hold it until I release it", { name: "hold" }),
  ];
}

// What is to be sent, but for number and documents, in the shape of the API.
function optionsOf(form, cover) {
  const body = {};
  const set = (path, value) => {
    const steps = path.split(".");
    let at = body;
    for (const step of steps.slice(0, -1)) at = at[step] ??= {};
    at[steps[steps.length - 1]] = value;
  };
  for (const name of ["priority", "resolution", "dither", "paper", "from", "header.text", "station_id", "client_reference", "route.group"]) {
    const input = form.elements[name];
    if (input && input.value.trim()) set(name, input.value.trim());
  }
  for (const name of ["not_before", "expires_at"]) if (form.elements[name].value) set(name, fromLocal(form.elements[name].value));
  if (form.elements["retry.max_attempts"].value) set("retry.max_attempts", Number(form.elements["retry.max_attempts"].value));
  const tags = listOf(form.elements.tags.value);
  if (tags.length) body.tags = tags;
  if (form.elements.hold && form.elements.hold.checked) body.hold = true;
  const page = cover.read();
  if (page) body.cover_page = page;
  return body;
}

// The same as the fields of a form: nested names with dots, lists once for each element.
function asForm(body, files) {
  const form = new FormData();
  const add = (name, value) => {
    if (Array.isArray(value)) value.forEach((one) => form.append(name, one));
    else if (value && typeof value === "object") Object.entries(value).forEach(([key, one]) => add(`${name}.${key}`, one));
    else if (value !== undefined) form.append(name, String(value));
  };
  Object.entries(body).forEach(([name, value]) => add(name, value));
  files.forEach((file) => form.append("file", file, file.name));
  return form;
}

const base64 = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(String(reader.result).slice(String(reader.result).indexOf(",") + 1));
  reader.onerror = () => reject(new Error(`${file.name} cannot be read any more; choose it again.`));
  reader.readAsDataURL(file);
});

// --- the preview ---

function enlarge(preview, at) {
  openDialog(`Page ${at} of ${preview.page_count}, as it is sent`, () => picture(`/v1/previews/${part(preview.id)}/pages/${at}?w=1000`, `Page ${at}`), { wide: true });
}

function previewOf(preview) {
  const warnings = [...(preview.warnings || []), ...(preview.pages || []).flatMap((page) => (page.warnings || []).map((text) => `Page ${page.number}: ${text}`))];
  return [
    h("p.big", null, plural(preview.page_count, "page")),
    h("p.hint", null, `About ${seconds(preview.seconds)} on the line.`),
    warnings.length > 0 && h("ul", null, warnings.map((text) => h("li", null, text))),
    h("ol.preview-pages", { "aria-label": "Pages as they are sent" }, (preview.pages || []).map((page) => h("li", null,
      h("button", { type: "button", "aria-label": `Look at page ${page.number}`, onclick: () => enlarge(preview, page.number) },
        picture(`/v1/previews/${part(preview.id)}/pages/${page.number}?w=300`, `Page ${page.number}`)),
      h("small", { "aria-hidden": "true" }, String(page.number))))),
  ];
}

function previewer(wanted, form, signal) {
  const at = h("div", { "aria-live": "polite" });
  let running = null, shown = null;
  const idle = () => put(at, h("p.hint", null, "Add a document or choose a cover page: here you will see each page as it goes over the line, how many there are, and how long it takes."));
  const look = async () => {
    running?.abort();
    const { body, files } = wanted();
    if (!files.length && !body.cover_page) { shown = null; return idle(); }
    running = new AbortController();
    const mine = running;
    at.setAttribute("aria-busy", "true");
    if (!shown) put(at, h("p.loading", null, "Making the pages…"));
    try {
      const preview = await call("POST", "/v1/previews", { form: asForm(body, files), signal: mine.signal });
      if (mine.signal.aborted || signal.aborted) return;
      shown = preview;
      clearFaults(form);
      put(at, previewOf(preview));
    } catch (error) {
      if (isAbort(error) || mine.signal.aborted) return;
      shown = null;
      put(at, h("div.note.tone-warn", null, h("p", null, "No preview: ", (error.errors && error.errors[0] && error.errors[0].detail) || error.message)));
    } finally {
      if (running === mine) at.removeAttribute("aria-busy");
    }
  };
  signal.addEventListener("abort", () => running?.abort());
  idle();
  return { at, look: settled(look, 500), count: () => shown && shown.page_count };
}

// --- the page ---

async function optional(name, path, take) {
  if (!offers(name)) return [];
  try { return take(await get(path)); } catch { return []; }
}

async function sendAll(numbers, body, files, form) {
  if (numbers.length === 1)
    return [await call("POST", "/v1/faxes", { form: asForm({ to: numbers[0], ...body }, files), headers: { "Idempotency-Key": form.dataset.once } })];
  if (offers("POST /v1/batches")) {
    const documents = await Promise.all(files.map(async (file) => ({ data: await base64(file), filename: file.name })));
    const batch = await call("POST", "/v1/batches", { json: { ...body, ...(documents.length ? { documents } : {}), recipients: numbers.map((to) => ({ to })) }, headers: { "Idempotency-Key": form.dataset.once } });
    return [batch];
  }
  const sent = [];
  for (const [at, to] of numbers.entries()) {
    try {
      sent.push(await call("POST", "/v1/faxes", { form: asForm({ to, ...body }, files), headers: { "Idempotency-Key": `${form.dataset.once}-${at}` } }));
    } catch (error) {
      error.message = `${to}: ${error.message}${sent.length ? ` The ${plural(sent.length, "number")} before it are on the way.` : ""}`;
      throw error;
    }
  }
  return sent;
}

function welcome(lines) {
  const own = lines.map((line) => line.number).filter(Boolean).slice(0, 4);
  return h("div.note", null, h("p", null, h("strong", null, "Send a first fax: "), "a number, a document, Send. Then you can watch it go."),
    own.length > 0 && h("p", null, `The lines of this server answer too: a fax to ${own.slice(1).join(", ") || own[0]} comes back into the inbox.`));
}

export async function show(view, { query, signal }) {
  const [covers, identities, lines] = await Promise.all([
    optional("GET /v1/cover-pages", "/v1/cover-pages", (reply) => reply.data),
    optional("GET /v1/identities", "/v1/identities", (reply) => reply.data),
    optional("GET /v1/lines", "/v1/lines", (reply) => reply.data),
  ]);
  const groups = [...new Set(lines.flatMap((line) => line.groups || []))];
  const changed = () => { form.dataset.once = nonce(); sum(); preview?.look(); };
  const to = recipients({ value: query.get("to"), changed: () => { form.dataset.once = nonce(); sum(); } });
  const documents = documentsField(() => changed());
  const cover = coverField(covers, () => changed());
  const text = field("Or type a message", { name: "message", type: "textarea", rows: 4, pointer: "/message", hint: "Becomes a page of text.", oninput: () => changed() });
  const now = new Date(Date.now() - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  const summary = h("p.hint", { role: "status" });
  const submit = h("button.primary.go", { type: "submit" }, icon("send"), "Send");
  const form = h("form.send", { novalidate: true, autocomplete: "off" },
    h("div", null,
      card("To", to.box),
      card("Documents", documents.box, h("details", null, h("summary", null, "Type a message instead"), text)),
      card("Cover page", cover.box),
      h("section.card", null, h("details", { onchange: () => changed() }, h("summary", null, "Time, sender and other options"), optionFields(identities, groups, now)))),
    h("div.send-side", null, h("section.card", { "aria-label": "What will be sent" }, h("h2", null, "As it is sent"), null),
      h("div.form-fault", { role: "alert", hidden: true }), summary, submit));
  form.dataset.once = nonce();
  const filesNow = () => {
    const typed = form.elements.message.value.trim();
    return typed ? [...documents.files, new File([typed + "\n"], "message.txt", { type: "text/plain" })] : documents.files;
  };
  const preview = offers("POST /v1/previews") ? previewer(() => ({ body: { ...optionsOf(form, cover), hold: undefined, not_before: undefined, expires_at: undefined }, files: filesNow() }), form, signal) : null;
  form.querySelector(".send-side .card").append(preview ? preview.at : h("p.hint", null, "Previews are not available to you."));
  function sum() {
    const numbers = to.numbers();
    summary.textContent = numbers.length ? `Goes to ${numbers.length === 1 ? numbers[0] : plural(numbers.length, "number")}.` : "";
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    to.settle();
    clearFaults(form);
    const numbers = to.numbers(), files = filesNow(), body = optionsOf(form, cover);
    const errors = [];
    if (!numbers.length) errors.push({ pointer: "/to", detail: "A number to send to is needed." });
    if (!files.length && !body.cover_page) errors.push({ pointer: "/documents", detail: "Choose a document, type a message, or take a cover page." });
    if (errors.length) return showFaults(form, { errors });
    if (submit.getAttribute("aria-disabled")) return;
    submit.setAttribute("aria-disabled", "true");
    put(submit, icon("clock"), "Storing…");
    try {
      const sent = await sendAll(numbers, body, files, form);
      if (signal.aborted) return;
      toast(numbers.length === 1 ? "Accepted. It is stored and on its way." : `Accepted for ${numbers.length} numbers.`);
      location.hash = numbers.length > 1 ? (sent[0].counts ? `/batches/${part(sent[0].id)}` : "/queue") : `/faxes/${part(sent[0].id)}`;
    } catch (error) {
      showFaults(form, error);
    } finally {
      submit.removeAttribute("aria-disabled");
      put(submit, icon("send"), "Send");
    }
  });
  put(view, heading("Send a fax"), query.get("welcome") && welcome(lines), form);
  view.querySelector(".numbers input").focus();
}
