// Pieces that pages are put together from.
import { freshId, h, put } from "./dom.js";
import { icon } from "./icons.js";
import { isAbort } from "./api.js";
import { fault, openDialog, toast } from "./dialog.js";

// The heading of a page, with its actions at the side. document.title follows.
export function heading(title, ...actions) {
  document.title = `${title} – faxd`;
  return h("div.page-head", null, h("h1", { tabindex: "-1" }, title), h("div.page-actions", null, actions));
}

export function card(title, ...content) {
  const id = freshId("card");
  return h("section.card", { "aria-labelledby": id }, h("h2", { id }, title), content);
}

// Nothing here, and what to do about it.
export function empty(title, text, ...actions) {
  return h(
    "div.empty",
    null,
    h("p.empty-title", null, title),
    text && h("p", null, text),
    actions.length ? h("div.actions", null, actions) : null,
  );
}

export const link = (href, text, picture) => h("a.button", { href }, picture && icon(picture), text);

export function button(text, onclick, { picture, kind = "", ...props } = {}) {
  return h("button", { type: "button", class: kind, onclick, ...props }, picture && icon(picture), text);
}

export function iconButton(label, picture, onclick, props = {}) {
  return h("button.icon-only", { type: "button", "aria-label": label, title: label, onclick, ...props }, icon(picture));
}

// Runs what a button asks for; a failure is told, and the button cannot be pressed twice meanwhile.
export function doing(work) {
  return async (event) => {
    const pressed = event && event.currentTarget;
    if (pressed && pressed.getAttribute("aria-disabled") === "true") return;
    pressed?.setAttribute("aria-disabled", "true");
    try {
      await work(event);
    } catch (error) {
      if (!isAbort(error)) fault(error);
    } finally {
      pressed?.removeAttribute("aria-disabled");
    }
  };
}

// Names and values; those without a value are left out.
export function facts(list) {
  return h(
    "dl.facts",
    null,
    list
      .filter((entry) => entry && entry[1] !== null && entry[1] !== undefined && entry[1] !== "")
      .map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
  );
}

// A table of few rows. columns: [label, row => content, class]. On a phone each row is a card, and the labels stand in it; the
// roles say that it is a table all the same.
export function smallTable(caption, columns, rows) {
  const id = freshId("caption");
  return h(
    "div.scroll",
    { tabindex: "0", role: "region", "aria-labelledby": id },
    h(
      "table.plain",
      { role: "table" },
      h("caption", { id }, caption),
      h(
        "thead",
        { role: "rowgroup" },
        h(
          "tr",
          { role: "row" },
          columns.map(([label, , kind]) =>
            h(
              "th",
              { scope: "col", role: "columnheader", class: kind },
              label || h("span.only-heard", null, "Actions"),
            ),
          ),
        ),
      ),
      h(
        "tbody",
        { role: "rowgroup" },
        rows.map((row) =>
          h(
            "tr",
            { role: "row" },
            columns.map(([label, show, kind], at) =>
              h(
                at === 0 ? "th" : "td",
                {
                  scope: at === 0 ? "row" : null,
                  role: at === 0 ? "rowheader" : "cell",
                  class: kind,
                  "data-label": at === 0 ? null : label,
                },
                at > 0 && label ? h("div", null, show(row)) : show(row),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

// Fills `at` with what `work` gives; until then a quiet note, after a failure what went wrong and a way to try again.
export async function loaded(at, work, note = "Loading…") {
  if (!at.hasChildNodes()) put(at, h("p.loading", { role: "status" }, note));
  try {
    put(at, await work());
  } catch (error) {
    if (isAbort(error)) return;
    put(
      at,
      h(
        "div.note.tone-bad",
        { role: "alert" },
        h("p", null, error.message),
        button("Try again", () => {
          put(at);
          loaded(at, work, note);
        }),
      ),
    );
  }
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    toast("This browser does not let pages copy here; select the text instead", { tone: "bad" });
  }
}

// A secret that is shown this once.
export function showSecret(title, explanation, secret, extra) {
  return openDialog(title, (close) => [
    h("p", null, explanation),
    h(
      "div.secret",
      null,
      h("code", { tabindex: "0", "data-secret": true }, secret),
      h("button", { type: "button", onclick: () => copy(secret, "It is") }, "Copy"),
    ),
    extra,
    h("div.actions", null, h("button.primary", { type: "button", onclick: () => close(true) }, "I have stored it")),
  ]);
}

// Views of one page, by links, so that back and reload work.
export function tabs(label, list, current) {
  // On a phone they are wider than the screen: the current one is to be seen.
  requestAnimationFrame(() => nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }));
  const nav = h(
    "nav.tabs",
    { "aria-label": label },
    list
      .filter(Boolean)
      .map(([href, text, id]) => h("a", { href, "aria-current": id === current ? "page" : null }, text)),
  );
  return nav;
}
