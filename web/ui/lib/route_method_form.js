// Where a received fax is passed on to: one box for each way, with what that way needs.
import { freshId, h, put } from "./dom.js";
import { button } from "./parts.js";
import { field, listOf } from "./form.js";

const PAGES = [
  ["pdf", "PDF"],
  ["tiff", "TIFF"],
];

// Of each way: what it is called, its fields [name, label, options], and what a value of them is in the API.
const WAYS = {
  inbox: {
    label: "Inbox of somebody",
    fields: (_, people) => [
      ["user", "Who takes care of it", { options: [["", "Nobody yet"], ...people.map((one) => [one.id, one.display_name])] }],
      ["labels", "Labels", { hint: "With commas." }],
    ],
  },
  email: {
    label: "E-mail",
    fields: () => [
      ["to", "To", { type: "email", required: true, placeholder: "office@example.com" }],
      ["format", "With", { options: [...PAGES, ["link", "a link"], ["none", "no pages"]] }],
    ],
  },
  folder: {
    label: "Folder on the server",
    fields: () => [
      ["folder", "Folder", { required: true, placeholder: "/srv/faxes" }],
      ["format", "As", { options: PAGES }],
      ["name", "Name of the file", { placeholder: "{date}-{time}-{from}-{id}", hint: "{id} has to be in it." }],
    ],
  },
  print: {
    label: "Printer",
    fields: () => [
      ["printer", "Printer", { required: true, hint: "Its name in CUPS." }],
      ["copies", "Copies", { type: "number", min: 1, max: 100 }],
      ["server", "Server of printers", { placeholder: "this machine" }],
    ],
  },
  webhook: {
    label: "Webhook",
    fields: () => [
      ["url", "Address", { type: "url", required: true, placeholder: "https://example.com/faxes" }],
      ["format", "The link is to", { options: PAGES }],
    ],
  },
  command: {
    label: "Program on the server",
    fields: () => [
      ["argv", "Program and arguments", { type: "textarea", required: true, hint: "One on each line. {file} is the document." }],
      ["format", "Given", { options: [...PAGES].reverse() }],
    ],
  },
};

export const methodLabel = (type) => (WAYS[type] || { label: type }).label;

const shown = (name, value) =>
  name === "argv" ? (value || []).join("\n") : Array.isArray(value) ? value.join(", ") : (value ?? "");

function valueOf(name, text) {
  if (name === "argv")
    return text
      .split("\n")
      .map((one) => one.trim())
      .filter(Boolean);
  if (name === "labels") return listOf(text);
  return name === "copies" ? Number(text) : text;
}

// The list of ways of one rule. read() gives it in the shape of the API; what is not asked for here stays as it was.
export function methodList(methods, people) {
  const list = methods.length ? methods.map((one) => ({ ...one })) : [{ type: "inbox" }];
  const element = h("fieldset.checks", null, h("legend", null, "It is passed on to")),
    boxes = h("div");
  element.dataset.pointer = "/methods";
  const keep = () => list.forEach((one, at) => Object.assign(one, collected(at)));
  function collected(at) {
    const found = {};
    for (const input of boxes.querySelectorAll(`[data-method="${at}"] [data-value]`)) {
      const text = input.value.trim();
      found[input.dataset.value] = text === "" ? undefined : valueOf(input.dataset.value, text);
    }
    return found;
  }
  const draw = () =>
    put(
      boxes,
      list.map((one, at) => boxOf(one, at)),
    );
  function boxOf(one, at) {
    const id = freshId("way");
    return h(
      "div.way-box",
      { "data-method": String(at), role: "group", "aria-labelledby": id },
      h(
        "div.pair",
        null,
        h(
          "div.field",
          null,
          h("label", { id, for: id + "-type" }, list.length > 1 ? `Way ${at + 1}` : "Way"),
          h(
            "select",
            {
              id: id + "-type",
              onchange: (event) => {
                list[at] = { type: event.target.value };
                draw();
              },
            },
            Object.entries(WAYS).map(([type, way]) =>
              h("option", { value: type, selected: type === one.type }, way.label),
            ),
          ),
        ),
        WAYS[one.type].fields(one, people).map(([name, label, options]) =>
          field(label, {
            ...options,
            name: `method.${at}.${name}`,
            pointer: `/methods/${at}/${name}`,
            value: shown(name, one[name]),
            "data-value": name,
          }),
        ),
      ),
      list.length > 1 &&
        button(`Remove way ${at + 1}`, () => {
          keep();
          list.splice(at, 1);
          draw();
        }),
    );
  }
  draw();
  element.append(
    boxes,
    h("p.fault", { hidden: true }),
    button(
      "Another way",
      () => {
        keep();
        list.push({ type: "email" });
        draw();
      },
      { picture: "plus" },
    ),
  );
  return {
    element,
    read: () => {
      keep();
      return list.map((one) =>
        Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined && value !== null)),
      );
    },
  };
}
