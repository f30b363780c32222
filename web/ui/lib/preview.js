// What a fax will look like, made by the server while its form is being filled in.
import { h, put, settled } from "./dom.js";
import { call, isAbort, part } from "./api.js";
import { openDialog } from "./dialog.js";
import { clearFaults } from "./form.js";
import { plural, seconds } from "./format.js";
import { picture } from "./picture.js";
import { asForm } from "./send_form.js";

function enlarge(preview, at) {
  openDialog(
    `Page ${at} of ${preview.page_count}, as it is sent`,
    () => picture(`/v1/previews/${part(preview.id)}/pages/${at}?w=1000`, `Page ${at}`),
    { wide: true },
  );
}

function previewOf(preview) {
  const warnings = [
    ...(preview.warnings || []),
    ...(preview.pages || []).flatMap((page) => (page.warnings || []).map((text) => `Page ${page.number}: ${text}`)),
  ];
  return [
    h("p.big", null, plural(preview.page_count, "page")),
    h("p.hint", null, `About ${seconds(preview.seconds)} on the line.`),
    warnings.length > 0 &&
      h(
        "ul",
        null,
        warnings.map((text) => h("li", null, text)),
      ),
    h(
      "ol.preview-pages",
      { "aria-label": "Pages as they are sent" },
      (preview.pages || []).map((page) =>
        h(
          "li",
          null,
          h(
            "button",
            {
              type: "button",
              "aria-label": `Look at page ${page.number}`,
              onclick: () => enlarge(preview, page.number),
            },
            picture(`/v1/previews/${part(preview.id)}/pages/${page.number}?w=300`, `Page ${page.number}`),
          ),
          h("small", { "aria-hidden": "true" }, String(page.number)),
        ),
      ),
    ),
  ];
}

export function previewer(wanted, form, signal) {
  const at = h("div", { "aria-live": "polite" });
  let running = null,
    shown = null;
  const idle = () =>
    put(
      at,
      h(
        "p.hint",
        null,
        "Add a document or choose a cover page: here you will see each page as it goes over the line, how many there are, and how long it takes.",
      ),
    );
  const look = async () => {
    running?.abort();
    const { body, files } = wanted();
    if (!files.length && !body.cover_page) {
      shown = null;
      return idle();
    }
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
      put(
        at,
        h(
          "div.note.tone-warn",
          null,
          h("p", null, "No preview: ", (error.errors && error.errors[0] && error.errors[0].detail) || error.message),
        ),
      );
    } finally {
      if (running === mine) at.removeAttribute("aria-busy");
    }
  };
  signal.addEventListener("abort", () => running?.abort());
  idle();
  return { at, look: settled(look, 500), count: () => shown && shown.page_count };
}
