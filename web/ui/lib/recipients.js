// The numbers a fax goes to: typed, pasted as a list, or picked from the contacts while typing.
import { announce, freshId, h, put, settled } from "./dom.js";
import { get } from "./api.js";
import { offers, takes } from "./access.js";
import { icon } from "./icons.js";

const SHOWN = 8;

async function find(text) {
  if (!offers("GET /v1/contacts") || text.length < 2) return [];
  const query = takes("GET /v1/contacts", "q") ? { q: text, limit: SHOWN } : { limit: 200 };
  try {
    const { data } = await get("/v1/contacts", query);
    const low = text.toLowerCase();
    return data
      .filter((one) => `${one.name} ${one.organization || ""} ${one.number}`.toLowerCase().includes(low))
      .slice(0, SHOWN);
  } catch {
    return [];
  }
}

export function recipients({ value, contact, changed }) {
  const chosen = []; // {number, label, value}: value is what the API is told, the id of a contact or the number
  const id = freshId("to"),
    listId = id + "-list",
    faultId = id + "-fault",
    hintId = id + "-hint";
  const list = h("ul.suggest", { id: listId, role: "listbox", "aria-label": "Contacts", hidden: true });
  const input = h("input", {
    id,
    type: "text",
    inputmode: "tel",
    autocomplete: "off",
    spellcheck: "false",
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-autocomplete": "list",
    "aria-describedby": `${hintId} ${faultId}`,
    placeholder: "+1 312 555 0123",
  });
  const holder = h(
    "div.numbers",
    {
      onclick: (event) => {
        if (event.target === holder) input.focus();
      },
    },
    input,
    list,
  );
  let found = [],
    at = -1,
    ready = false; // the form that wants to hear of changes is made after this

  const draw = () => {
    holder.querySelectorAll(".chip").forEach((chip) => chip.remove());
    input.before(
      ...chosen.map((one, nth) =>
        h(
          "span.chip",
          null,
          one.label,
          h(
            "button",
            {
              type: "button",
              "aria-label": `Remove ${one.label}`,
              onclick: () => {
                chosen.splice(nth, 1);
                draw();
                input.focus();
              },
            },
            icon("close"),
          ),
        ),
      ),
    );
    if (ready) changed();
  };
  const close = () => {
    list.hidden = true;
    found = [];
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const add = (number, label = number, value = number) => {
    if (number && !chosen.some((one) => one.number === number)) chosen.push({ number, label, value });
    input.value = "";
    close();
    draw();
  };
  const pick = (contact) => add(contact.number, `${contact.name} ${contact.number}`, `contact:${contact.id}`);
  const typed = () =>
    input.value
      .split(/[,;\n]+/)
      .map((one) => one.trim())
      .filter(Boolean);
  const settle = () => typed().forEach((one) => add(one));
  const mark = () => {
    [...list.children].forEach((item, nth) => item.setAttribute("aria-selected", String(nth === at)));
    if (at >= 0) input.setAttribute("aria-activedescendant", `${listId}-${at}`);
    else input.removeAttribute("aria-activedescendant");
  };
  const suggest = settled(async () => {
    const text = input.value.trim();
    found = await find(text);
    if (text !== input.value.trim()) return;
    if (!found.length) return close();
    at = -1;
    put(
      list,
      found.map((one, nth) =>
        h(
          "li",
          {
            role: "option",
            id: `${listId}-${nth}`,
            "aria-selected": "false",
            onmousedown: (event) => {
              event.preventDefault();
              pick(one);
            },
          },
          h("span", null, one.name),
          h("span.hint", null, one.number),
        ),
      ),
    );
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    announce(`${found.length} contacts`);
  }, 150);
  input.addEventListener("input", () => {
    if (/[,;\n]/.test(input.value)) settle();
    else {
      suggest();
      changed();
    }
  });
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!/[,;\n]/.test(text.trim())) return;
    event.preventDefault();
    input.value = text;
    settle();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!found.length) return;
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length;
      mark();
    } else if (event.key === "Enter" && (at >= 0 || input.value.trim())) {
      event.preventDefault();
      if (at >= 0) pick(found[at]);
      else settle();
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    } else if (event.key === "Backspace" && !input.value && chosen.length) {
      chosen.pop();
      draw();
    }
  });
  input.addEventListener("blur", () => {
    close();
    settle();
  });
  const box = h(
    "div.field",
    null,
    h("label", { for: id }, "Fax number"),
    holder,
    h("p.hint", { id: hintId }, "With country code, or an extension of your own lines. Several with commas."),
    h("p.fault", { id: faultId, hidden: true }),
  );
  box.dataset.pointer = "/to";
  if (value) add(value);
  if (contact) pick(contact);
  ready = true;
  return {
    box,
    settle,
    pick,
    numbers: () => [...chosen.map((one) => one.value), ...typed()],
    names: () => [...chosen.map((one) => one.label), ...typed()],
  };
}
