// The pages of a fax to look at: one large, all of them small, turned by buttons or keys; printed from here.
import { h, put } from "./dom.js";
import { part } from "./api.js";
import { button, card, doing, iconButton } from "./parts.js";
import { timeText } from "./format.js";
import { picture, printPages } from "./picture.js";

const WIDTHS = [
  ["Fit", 100],
  ["150 %", 150],
  ["200 %", 200],
  ["300 %", 300],
];

const pagePath = (fax, n, wide) => `/v1/faxes/${part(fax.id)}/pages/${n}${wide ? "?w=" + wide : ""}`;

export function viewer(fax) {
  const total =
    fax.direction === "inbound" ? Math.max(fax.pages.confirmed || 0, fax.pages.total || 0) : fax.pages.total;
  if (!fax.links || !fax.links.document || !total) {
    const text = fax.documents_purged_at
      ? `Its pages were deleted ${timeText(fax.documents_purged_at)}. Their fingerprint stays on record.`
      : fax.status === "preparing"
        ? "The pages are being made."
        : "There are no pages to look at.";
    return card("Pages", h("p.hint", null, text));
  }
  let at = 1,
    zoom = 0;
  const sheet = h("div.viewer", { tabindex: "0", role: "region", "aria-label": "Page, scroll to see all of it" });
  const label = h("span.grow", { role: "status" });
  const strip = h("div.strip", { role: "group", "aria-label": "All pages" });
  const show = () => {
    const image = picture(pagePath(fax, at, zoom ? 0 : 1000), `Page ${at} of ${total}`);
    image.style.width = `${WIDTHS[zoom][1]}%`;
    put(sheet, image);
    label.textContent = `Page ${at} of ${total}`;
    [...strip.children].forEach((one, nth) =>
      nth + 1 === at ? one.setAttribute("aria-current", "page") : one.removeAttribute("aria-current"),
    );
    back.disabled = at === 1;
    on.disabled = at === total;
    smaller.disabled = zoom === 0;
    larger.disabled = zoom === WIDTHS.length - 1;
  };
  const turn = (to) => {
    at = Math.min(total, Math.max(1, to));
    show();
  };
  const back = iconButton("Page before", "left", () => turn(at - 1)),
    on = iconButton("Next page", "right", () => turn(at + 1));
  const smaller = button(
      "−",
      () => {
        zoom--;
        show();
      },
      { "aria-label": "Smaller", kind: "icon-only" },
    ),
    larger = button(
      "+",
      () => {
        zoom++;
        show();
      },
      { "aria-label": "Larger", kind: "icon-only" },
    );
  if (total > 1)
    for (let n = 1; n <= total; n++)
      strip.append(
        h(
          "button",
          { type: "button", "aria-label": `Page ${n}`, onclick: () => turn(n) },
          picture(pagePath(fax, n, 120), ""),
        ),
      );
  sheet.addEventListener("keydown", (event) => {
    const to = { PageDown: at + 1, PageUp: at - 1, Home: 1, End: total }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    turn(to);
  });
  const all = Array.from({ length: total }, (_, n) => pagePath(fax, n + 1, 0));
  show();
  return card(
    "Pages",
    h(
      "div.viewer-bar",
      null,
      back,
      on,
      label,
      smaller,
      larger,
      button(
        "Print",
        doing(() => printPages(all)),
        { picture: "print" },
      ),
    ),
    sheet,
    total > 1 && strip,
  );
}
