// Forms: a label, a hint and a place for a fault at each field. Faults of the API (problem documents) find their field by
// the JSON pointer that they carry; what finds none is told above the buttons.
import { freshId, h, put } from "./dom.js";
import { icon } from "./icons.js";

// field("Name", {name: "name", pointer: "/name", hint: ..., required: true}) or with `control`, an element made elsewhere.
export function field(label, options) {
  const { name, type = "text", hint, control, pointer = "/" + name, options: choices, value, wide, ...props } = options;
  const id = freshId("field"),
    hintId = id + "-hint",
    faultId = id + "-fault";
  let input = control;
  if (!input && choices)
    input = h(
      "select",
      { name, ...props },
      choices.map(([key, text]) => h("option", { value: key, selected: String(key) === String(value ?? "") }, text)),
    );
  else if (!input && type === "textarea") input = h("textarea", { name, value: value ?? "", rows: 3, ...props });
  else if (!input) input = h("input", { name, type, value: value ?? "", ...props });
  input.id = id;
  input.setAttribute("aria-describedby", (hint ? hintId + " " : "") + faultId);
  const box = h(
    "div.field",
    { class: wide ? "field-wide" : "" },
    h("label", { for: id }, label),
    input,
    hint && h("p.hint", { id: hintId }, hint),
    h("p.fault", { id: faultId, hidden: true }),
  );
  box.dataset.pointer = pointer;
  return box;
}

export function check(label, { name, checked, hint, pointer = "/" + name, ...props }) {
  const id = freshId("check"),
    hintId = id + "-hint";
  const box = h(
    "div.field.check",
    null,
    h("input", {
      type: "checkbox",
      id,
      name,
      checked: Boolean(checked),
      "aria-describedby": hint ? hintId : null,
      ...props,
    }),
    h("label", { for: id }, label),
    hint && h("p.hint", { id: hintId }, hint),
    h("p.fault", { hidden: true }),
  );
  box.dataset.pointer = pointer;
  return box;
}

function mark(box, text) {
  const at = box.querySelector(".fault");
  at.textContent = text || "";
  at.hidden = !text;
  box.querySelectorAll("input, select, textarea").forEach((input) => {
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  });
}

export function clearFaults(form) {
  form.querySelectorAll("[data-pointer]").forEach((box) => mark(box, ""));
  const rest = form.querySelector(".form-fault");
  if (rest) {
    rest.hidden = true;
    put(rest);
  }
}

// The longest field pointer that leads to the fault: "/documents" has "/documents/0/data".
function owner(form, pointer) {
  let best = null;
  for (const box of form.querySelectorAll("[data-pointer]")) {
    const own = box.dataset.pointer;
    if ((pointer === own || pointer.startsWith(own + "/")) && (!best || own.length > best.dataset.pointer.length))
      best = box;
  }
  return best;
}

export function showFaults(form, problem) {
  clearFaults(form);
  const left = [],
    told = new Map();
  // Some say their field at the beginning of the sentence only: "url: begins with https://".
  const named = /^(\w+): (.+)$/s.exec(problem.message || "");
  const errors =
    problem.errors && problem.errors.length
      ? problem.errors
      : named && owner(form, "/" + named[1])
        ? [{ pointer: "/" + named[1], detail: named[2] }]
        : [];
  for (const error of errors) {
    const box = owner(form, error.pointer);
    if (box) told.set(box, [...(told.get(box) || []), error.detail]);
    else left.push(`${error.pointer ? error.pointer.slice(1).replaceAll("/", " ") + ": " : ""}${error.detail}`);
  }
  told.forEach((texts, box) => {
    mark(box, texts.join(". "));
    box.closest("details")?.setAttribute("open", "");
  });
  if (!told.size && !left.length) left.push(problem.message);
  const rest = form.querySelector(".form-fault");
  if (rest && left.length) {
    rest.hidden = false;
    put(
      rest,
      left.map((text) => h("p", null, text)),
    );
  }
  const first = [...told.keys()].find((box) => box.offsetParent !== null);
  const input = first && first.querySelector("input:not([hidden]), select, textarea, button");
  if (input) input.focus();
}

// A form whose `submit(data)` may throw a Problem. Fields are children; `action` is the text of the button.
export function form({ action, submit, cancel, danger, picture }, ...fields) {
  const button = h(
    "button",
    { type: "submit", class: danger ? "danger" : "primary" },
    picture && icon(picture),
    action,
  );
  const element = h(
    "form",
    { novalidate: true, autocomplete: "off" },
    fields,
    h("div.form-fault", { role: "alert", hidden: true }),
    h("div.actions", null, cancel && h("button", { type: "button", onclick: cancel }, "Cancel"), button),
  );
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    clearFaults(element);
    if (missing(element)) return;
    button.setAttribute("aria-disabled", "true");
    try {
      await submit(values(element), element);
    } catch (error) {
      showFaults(element, error);
    } finally {
      button.removeAttribute("aria-disabled");
    }
  });
  return element;
}

function missing(element) {
  let first = null;
  for (const input of element.querySelectorAll("[required]")) {
    if (input.value.trim() !== "") continue;
    const box = input.closest("[data-pointer]");
    if (box) mark(box, "This is needed.");
    first ??= input;
  }
  if (first) first.focus();
  return Boolean(first);
}

// Names and values; boxes ticked are true, several of one name a list; times as the API wants them are the caller's.
export function values(element) {
  const data = {};
  for (const input of element.elements) {
    if (!input.name || input.type === "submit") continue;
    if (input.dataset.list !== undefined) {
      data[input.name] ??= [];
      if (input.checked) data[input.name].push(input.value);
    } else {
      data[input.name] = input.type === "checkbox" ? input.checked : input.value.trim();
    }
  }
  return data;
}

export const listOf = (text) =>
  text
    .split(/[,;\n]+/)
    .map((one) => one.trim())
    .filter(Boolean);
