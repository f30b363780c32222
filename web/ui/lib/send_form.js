// The parts of the form to send a fax: documents, the cover page, options; and what they say in the shape of the API.
import { announce, freshId, h, put } from "./dom.js";
import { icon } from "./icons.js";
import { bodyHas } from "./access.js";
import { toast } from "./dialog.js";
import { iconButton } from "./parts.js";
import { check, field, listOf } from "./form.js";
import { bytes, capital, fromLocal, plural, words } from "./format.js";

const ACCEPTED =
  ".pdf,.txt,.tif,.tiff,.jpg,.jpeg,.png,.gif,.bmp,.webp,.heic,.svg,.ps,.eps,.doc,.docx,.odt,.rtf,.xls,.xlsx,.ods,.html";
const FILES_MOST = 20;
export const FILLED_IN = ["to_number", "from_number", "from_company", "date", "time", "pages"]; // by the server

// --- documents ---

export function documentsField(changed) {
  const files = [],
    id = freshId("files");
  const list = h("ul.files", { "aria-label": "Documents, in the order in which they are sent" });
  const draw = () =>
    put(
      list,
      files.map((file, at) =>
        h(
          "li",
          null,
          icon("file"),
          h("span.grow", { title: file.name }, file.name),
          h("small", null, bytes(file.size)),
          at > 0 &&
            iconButton(`Move ${file.name} up`, "up", () => {
              files.splice(at - 1, 0, files.splice(at, 1)[0]);
              draw();
              changed();
            }),
          iconButton(
            `Remove ${file.name}`,
            "close",
            () => {
              files.splice(at, 1);
              draw();
              changed();
              toast(`${file.name} removed`, {
                action: "Undo",
                onaction: () => {
                  files.splice(at, 0, file);
                  draw();
                  changed();
                },
              });
              input.focus();
            },
            { class: "quiet icon-only" },
          ),
        ),
      ),
    );
  const add = (more) => {
    for (const file of more) if (files.length < FILES_MOST) files.push(file);
    draw();
    changed();
    announce(plural(files.length, "document"));
  };
  const input = h("input.only-heard", {
    type: "file",
    id,
    multiple: true,
    accept: ACCEPTED,
    onchange: () => {
      add([...input.files]);
      input.value = "";
    },
  });
  const drop = h(
    "div.drop",
    {
      ondragover: (event) => {
        event.preventDefault();
        drop.classList.add("over");
      },
      ondragleave: () => drop.classList.remove("over"),
      ondrop: (event) => {
        event.preventDefault();
        drop.classList.remove("over");
        add([...event.dataTransfer.files]);
      },
    },
    input,
    h("label.pick", { for: id }, icon("plus"), "Choose documents"),
    h("span", null, " or drop them here"),
    h(
      "p.hint",
      null,
      "PDF, text, pictures; office documents where the server has a program for them. Several become one fax, in this order.",
    ),
  );
  const box = h("div.field", null, drop, list, h("p.fault", { hidden: true }));
  box.dataset.pointer = "/documents";
  return { box, files, add };
}

// --- the cover page ---

export function coverField(covers, changed) {
  const inside = h("div");
  const select = h(
    "select",
    {
      name: "template",
      onchange: () => {
        draw();
        changed();
      },
    },
    h("option", { value: "" }, "No cover page"),
    covers.map((cover) => h("option", { value: cover.name }, capital(words(cover.name)))),
  );
  const kept = {};
  const draw = () => {
    const cover = covers.find((one) => one.name === select.value);
    const names = cover
      ? cover.fields
          .map((one) => (typeof one === "string" ? one : one.name))
          .filter((name) => !FILLED_IN.includes(name))
      : [];
    put(
      inside,
      names.length > 0 &&
        h(
          "div.pair",
          null,
          names.map((name) =>
            field(capital(words(name)), {
              name: "cover." + name,
              pointer: name === "note" ? "/cover_page/note" : "/cover_page/fields/" + name,
              value: kept[name] || "",
              wide: true,
              type: name === "note" || name === "message" ? "textarea" : "text",
              oninput: (event) => {
                kept[name] = event.target.value;
                changed();
              },
            }),
          ),
        ),
    );
  };
  const read = () => {
    if (!select.value) return null;
    const fields = {};
    for (const input of inside.querySelectorAll("[name]"))
      if (input.value.trim()) fields[input.name.slice(6)] = input.value.trim();
    return { template: select.value, fields };
  };
  return { box: h("div", null, field("Cover page", { control: select, name: "cover_page" }), inside), read };
}

// --- options ---

const choice = (label, name, list, extra = {}) =>
  field(label, { name, options: list.map((one) => (Array.isArray(one) ? one : [one, capital(one)])), ...extra });

export function optionFields(identities, groups, now) {
  const has = (name) => bodyHas("POST /v1/faxes", name);
  return [
    h(
      "div.pair",
      null,
      choice("Priority", "priority", [["", "Normal"], "urgent", "high", "bulk"]),
      choice("Resolution", "resolution", [["", "Fine"], "standard", "superfine"]),
      choice("Grey tones", "dither", [
        ["", "As fits the page"],
        ["threshold", "Black or white"],
        ["diffusion", "Fine dots"],
        ["halftone", "Raster"],
      ]),
      choice("Paper for texts", "paper", [["", "As the server has it"], ["a4", "A4"], "letter", "legal"]),
    ),
    h(
      "div.pair",
      null,
      field("Not before", { name: "not_before", type: "datetime-local", min: now, hint: "Your time. Empty: at once." }),
      field("Give up at", { name: "expires_at", type: "datetime-local", min: now }),
    ),
    h(
      "div.pair",
      null,
      identities.length > 0 &&
        choice("Send as", "from", [
          ["", "The default"],
          ...identities.map((one) => [one.id, `${one.name}${one.number ? " – " + one.number : ""}`]),
        ]),
      field("Name in the header line", {
        name: "header.text",
        pointer: "/header/text",
        maxlength: 100,
        hint: "On top of each page, with date and page number.",
      }),
      field("Station id", { name: "station_id", maxlength: 20, hint: "What the other machine shows." }),
    ),
    h(
      "div.pair",
      null,
      field("Your reference", { name: "client_reference", maxlength: 255 }),
      field("Tags", { name: "tags", hint: "With commas between them." }),
    ),
    h(
      "div.pair",
      null,
      field("Calls at most", {
        name: "retry.max_attempts",
        pointer: "/retry/max_attempts",
        type: "number",
        min: 1,
        max: 50,
      }),
      groups.length > 1 &&
        choice("Group of lines", "route.group", [["", "Default"], ...groups.map((one) => [one, one])], {
          pointer: "/route/group",
        }),
    ),
    has("hold") && check("Prepare only, and hold it until I release it", { name: "hold" }),
  ];
}

// What is to be sent, but for number and documents, in the shape of the API.
export function optionsOf(form, cover) {
  const body = {};
  const set = (path, value) => {
    const steps = path.split(".");
    let at = body;
    for (const step of steps.slice(0, -1)) at = at[step] ??= {};
    at[steps[steps.length - 1]] = value;
  };
  for (const name of [
    "priority",
    "resolution",
    "dither",
    "paper",
    "from",
    "header.text",
    "station_id",
    "client_reference",
    "route.group",
  ]) {
    const input = form.elements[name];
    if (input && input.value.trim()) set(name, input.value.trim());
  }
  for (const name of ["not_before", "expires_at"])
    if (form.elements[name].value) set(name, fromLocal(form.elements[name].value));
  if (form.elements["retry.max_attempts"].value)
    set("retry.max_attempts", Number(form.elements["retry.max_attempts"].value));
  const tags = listOf(form.elements.tags.value);
  if (tags.length) body.tags = tags;
  if (form.elements.hold && form.elements.hold.checked) body.hold = true;
  const page = cover.read();
  if (page) body.cover_page = page;
  return body;
}

// The same as the fields of a form: nested names with dots, lists once for each element.
export function asForm(body, files) {
  const form = new FormData();
  const add = (name, value) => {
    if (Array.isArray(value)) value.forEach((one) => form.append(name, one));
    else if (value && typeof value === "object")
      Object.entries(value).forEach(([key, one]) => add(`${name}.${key}`, one));
    else if (value !== undefined) form.append(name, String(value));
  };
  Object.entries(body).forEach(([name, value]) => add(name, value));
  files.forEach((file) => form.append("file", file, file.name));
  return form;
}

export const base64 = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).slice(String(reader.result).indexOf(",") + 1));
    reader.onerror = () => reject(new Error(`${file.name} cannot be read any more; choose it again.`));
    reader.readAsDataURL(file);
  });
