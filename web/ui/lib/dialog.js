// Dialogs, menus and passing notes. A dialog is the browser's own: it keeps the focus, and Escape closes it.
import { freshId, h, put } from "./dom.js";
import { icon } from "./icons.js";

// Opens a dialog; `build(close)` gives its content. Resolves with what close() was given, undefined when dismissed.
export function openDialog(title, build, { wide = false } = {}) {
  return new Promise((resolve) => {
    const id = freshId("dialog"),
      before = document.activeElement;
    let result;
    const close = (value) => {
      result = value;
      dialog.close();
    };
    const dialog = h(
      "dialog",
      { "aria-labelledby": id, class: wide ? "wide" : "" },
      h(
        "header.dialog-head",
        null,
        h("h2", { id }, title),
        h("button.quiet.icon-only", { type: "button", "aria-label": "Close", onclick: () => close() }, icon("close")),
      ),
      build(close),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before && before.isConnected) before.focus();
      resolve(result);
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) close();
    });
    document.body.append(dialog);
    dialog.showModal();
    const first = dialog.querySelector("[autofocus], input:not([type=hidden]), select, textarea, .actions button");
    if (first) first.focus();
  });
}

// True when the reader means it. `action` names what will happen ("Cancel the fax"), never just "OK".
export async function confirmed(title, text, action, { danger = true, keep = "Keep it" } = {}) {
  return (
    (await openDialog(title, (close) => [
      h("p", null, text),
      h(
        "div.actions",
        null,
        h("button", { type: "button", onclick: () => close(false) }, keep),
        h(
          "button",
          { type: "button", class: danger ? "danger" : "primary", autofocus: true, onclick: () => close(true) },
          action,
        ),
      ),
    ])) === true
  );
}

export function toast(text, { action, onaction, tone = "" } = {}) {
  const at = document.getElementById("toasts");
  const note = h(
    "div.toast",
    { class: tone && "tone-" + tone },
    h("span", null, text),
    action &&
      h(
        "button.quiet",
        {
          type: "button",
          onclick: () => {
            note.remove();
            onaction();
          },
        },
        action,
      ),
    h(
      "button.quiet.icon-only",
      { type: "button", "aria-label": "Dismiss", onclick: () => note.remove() },
      icon("close"),
    ),
  );
  while (at.children.length > 2) at.firstChild.remove();
  at.append(note);
  setTimeout(() => note.remove(), action || tone === "bad" ? 12000 : 6000);
}

export const fault = (error) => toast(error.message, { tone: "bad" });

// A button that opens a list of actions: [{label, icon, act, danger}].
export function menuButton(label, items, props = {}) {
  const id = freshId("menu");
  const list = h("div.menu", { id, role: "menu", popover: "auto", "aria-label": label });
  const button = h(
    "button.icon-only",
    { type: "button", "aria-label": label, title: label, "aria-haspopup": "menu", "aria-expanded": "false", ...props },
    icon("more"),
  );
  const entries = () => [...list.querySelectorAll("button")];
  const place = () => {
    const box = button.getBoundingClientRect(),
      size = list.getBoundingClientRect();
    list.style.top = `${box.bottom + size.height > innerHeight ? Math.max(4, box.top - size.height) : box.bottom + 4}px`;
    list.style.left = `${Math.max(4, Math.min(box.right - size.width, innerWidth - size.width - 4))}px`;
  };
  button.addEventListener("click", () => {
    if (list.matches(":popover-open")) return list.hidePopover();
    put(
      list,
      (typeof items === "function" ? items() : items).filter(Boolean).map((item) =>
        h(
          "button",
          {
            type: "button",
            role: "menuitem",
            class: item.danger ? "danger" : "",
            onclick: () => {
              list.hidePopover();
              button.focus();
              item.act();
            },
          },
          icon(item.icon || "dot"),
          item.label,
        ),
      ),
    );
    if (!list.isConnected) button.after(list);
    list.showPopover();
    place();
    entries()[0]?.focus();
  });
  list.addEventListener("toggle", (event) => button.setAttribute("aria-expanded", String(event.newState === "open")));
  list.addEventListener("keydown", (event) => {
    const all = entries(),
      at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      list.hidePopover();
      button.focus();
    }
    if (to === undefined) return;
    event.preventDefault();
    all[(to + all.length) % all.length].focus();
  });
  return h("span.menu-holder", null, button);
}
