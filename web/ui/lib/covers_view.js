// Cover pages with their samples: looked at, made of a file or of another one, edited beside what they look like, removed.
import { freshId, h, put, settled } from "./dom.js";
import { ask, call, get, isAbort, part, patch, post, remove } from "./api.js";
import { offers } from "./access.js";
import { confirmed, menuButton, openDialog, toast } from "./dialog.js";
import { button, doing, empty, loaded } from "./parts.js";
import { field, form } from "./form.js";
import { capital, words } from "./format.js";
import { picture } from "./picture.js";
import { FILLED_IN } from "./send_form.js";

const path = (cover) => `/v1/cover-pages/${part(cover.name)}`;
const title = (cover) => capital(words(cover.name));
const sampleOf = async (wish, signal) => (await ask("POST", "/v1/cover-pages/sample", { json: wish, signal })).blob();

const sample = (cover, width, alt) =>
  picture(`cover:${cover.name}:${cover.updated_at}:${width}`, alt, {}, () => sampleOf({ name: cover.name, width }));

const look = (cover) =>
  openDialog(title(cover), () => sample(cover, 1000, `Sample of the cover page ${cover.name}`), { wide: true });

const EMPTY_PAGE = `<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297"
     font-family="DejaVu Sans, sans-serif">
  <text x="20" y="40" font-size="14" font-weight="bold">FAX</text>
  <text x="20" y="60" font-size="5">To</text>
  <text x="60" y="55" font-size="5" data-width="130">{{to_name}}</text>
  <text x="20" y="72" font-size="5">From</text>
  <text x="60" y="67" font-size="5" data-width="130">{{from_name}}</text>
  <g data-if="note">
    <text x="20" y="90" font-size="5" data-width="170" data-height="120">{{note}}</text>
  </g>
  <text x="20" y="285" font-size="4">{{date}}, pages: {{pages}}</text>
</svg>
`;

const FIELDS = [
  ["to_name, to_company, to_number", "who it goes to"],
  ["from_name, from_company, from_number", "who sends it"],
  ["subject, note, reference", "what the sender types"],
  ["date, time, pages", "filled in by the server"],
];

const help = () =>
  h(
    "details",
    null,
    h("summary", null, "How a template is written"),
    h(
      "p",
      null,
      "A drawing in SVG, the size of a page. Where ",
      h("code", null, "{{to_name}}"),
      " stands in a text, the name is put. Other names are asked of whoever sends.",
    ),
    h(
      "ul",
      null,
      FIELDS.map(([names, what]) => h("li", null, h("code", null, names), `: ${what}`)),
      h(
        "li",
        null,
        h("code", null, 'data-width="130"'),
        " on a <text>: it is made smaller rather than run over; with ",
        h("code", null, 'data-height="90"'),
        " it is wrapped.",
      ),
      h("li", null, h("code", null, '<g data-if="note">'), ": left out when the field is empty."),
      h("li", null, "Pictures have to be in the drawing itself (data:image/png;base64,…). Scripts are refused."),
    ),
  );

// What the text in the editor looks like, and with which values; or why it cannot be drawn.
function trial(template) {
  const page = h("div.cover-trial", { "aria-live": "polite" }),
    inputs = h("div"),
    values = {};
  let running = null,
    address = null;
  const fieldsOf = (text) => [...new Set([...text.matchAll(/\{\{ *([a-z0-9_]+) *\}\}/g)].map((found) => found[1]))];
  const drawInputs = (names) =>
    put(
      inputs,
      names.map((name) =>
        field(capital(words(name)), {
          name: "try." + name,
          value: values[name] ?? "",
          placeholder: "an example",
          oninput: (event) => {
            values[name] = event.target.value;
            again();
          },
        }),
      ),
    );
  const show = async () => {
    running?.abort();
    const mine = (running = new AbortController());
    const fields = Object.fromEntries(Object.entries(values).filter(([, value]) => value));
    try {
      const blob = await sampleOf({ template: template.value, fields, width: 700 }, mine.signal);
      if (mine.signal.aborted) return;
      if (address) URL.revokeObjectURL(address);
      address = URL.createObjectURL(blob);
      put(page, h("span.sheet.ready", null, h("img", { src: address, alt: "The page as a fax has it" })));
    } catch (error) {
      if (isAbort(error) || mine.signal.aborted) return;
      const told = error.errors?.length ? error.errors.map((one) => one.detail).join(". ") : error.message;
      put(page, h("div.note.tone-warn", null, h("p", null, capital(told))));
    }
  };
  const again = settled(show, 500);
  const changed = () => {
    drawInputs(fieldsOf(template.value));
    again();
  };
  put(page, h("p.loading", null, "Drawing the page…"));
  drawInputs(fieldsOf(template.value));
  show();
  template.addEventListener("input", changed);
  return {
    changed,
    element: h("div", null, page, h("details", null, h("summary", null, "Try it with other texts"), inputs)),
    end: () => {
      running?.abort();
      if (address) URL.revokeObjectURL(address);
    },
  };
}

// The file chosen becomes the text in the editor.
function fileButton(taken) {
  const id = freshId("svg");
  const input = h("input.only-heard", {
    type: "file",
    id,
    accept: ".svg,image/svg+xml",
    onchange: async () => {
      if (input.files[0]) taken(await input.files[0].text(), input.files[0].name);
      input.value = "";
    },
  });
  return h("div.pick-file", null, input, h("label.button", { for: id }, "Take an SVG file"));
}

const nameOf = (file) =>
  file
    .replace(/\.svg$/i, "")
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 64);

async function edit(cover, { copyOf = null }, done) {
  const from = cover || copyOf,
    text = from ? (await get(path(from))).template : EMPTY_PAGE;
  const template = h("textarea.code", { name: "template", rows: 18, spellcheck: "false", wrap: "off", value: text || "" });
  const tried = trial(template);
  const name = cover
    ? null
    : field("Name", {
        name: "name",
        required: true,
        maxlength: 64,
        value: copyOf ? `${copyOf.name}_2`.slice(-64) : "",
        placeholder: "billing",
        hint: "Small letters, digits, - and _. Programs ask for it by this name.",
      });
  const taken = (content, file) => {
    template.value = content;
    const input = name?.querySelector("input");
    if (input && !input.value) input.value = nameOf(file);
    tried.changed();
  };
  await openDialog(
    cover ? `Change ${title(cover)}` : "New cover page",
    (close) =>
      form(
        {
          action: cover ? "Save" : "Add",
          cancel: () => close(),
          submit: async (data) => {
            if (cover) await patch(path(cover), { template: data.template });
            else await post("/v1/cover-pages", { name: data.name, template: data.template });
            close();
            toast(cover ? "Saved. Faxes that wait keep the page that they were accepted with." : "Added");
            done();
          },
        },
        h(
          "div.cover-edit",
          null,
          h(
            "div",
            null,
            name,
            field("Template", { control: template, name: "template", hint: "SVG with {{fields}} in its texts." }),
            fileButton(taken),
            help(),
          ),
          tried.element,
        ),
      ),
    { wide: true },
  );
  tried.end();
}

async function drop(cover, done) {
  const text = "Faxes that wait have a copy of it. What asks for it by its name from now on is refused.";
  if (!(await confirmed(`Remove ${title(cover)}?`, text, "Remove it"))) return;
  await remove(path(cover));
  toast("Removed");
  done();
}

async function save(cover) {
  const { template } = await get(path(cover));
  const address = URL.createObjectURL(new Blob([template], { type: "image/svg+xml" }));
  const anchor = h("a", { href: address, download: `${cover.name}.svg` });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

const actions = (cover, done) => [
  { label: "Look at it", icon: "search", act: doing(() => look(cover)) },
  !cover.from_config &&
    offers("PATCH /v1/cover-pages/{}") && { label: "Change", icon: "cover", act: doing(() => edit(cover, {}, done)) },
  offers("POST /v1/cover-pages") && {
    label: "Make one like it",
    icon: "plus",
    act: doing(() => edit(null, { copyOf: cover }, done)),
  },
  { label: "Save the SVG file", icon: "down", act: doing(() => save(cover)) },
  !cover.from_config &&
    offers("DELETE /v1/cover-pages/{}") && {
      label: "Remove",
      icon: "trash",
      danger: true,
      act: doing(() => drop(cover, done)),
    },
];

// What the server does not fill in by itself.
const asked = (cover) => cover.fields.filter((name) => !FILLED_IN.includes(name)).map((name) => words(name));

const card = (cover, done) =>
  h(
    "li.cover",
    { "data-cover": cover.name },
    h(
      "button.cover-look",
      { type: "button", "aria-label": `Look at ${title(cover)}`, onclick: doing(() => look(cover)) },
      sample(cover, 360, ""),
    ),
    h(
      "div.cover-head",
      null,
      h("strong", null, title(cover)),
      menuButton(`Actions for ${title(cover)}`, () => actions(cover, done)),
    ),
    asked(cover).length > 0 && h("p.hint", null, `Asks for ${asked(cover).join(", ")}.`),
    cover.from_config && h("p.hint", null, "A file of the server: it can be copied, not changed."),
  );

// The section of a page.
export function coverPages(signal) {
  const at = h("div");
  const mayAdd = offers("POST /v1/cover-pages");
  const add = () => button("Add a cover page", doing(() => edit(null, {}, draw)), { kind: "primary", picture: "plus" });
  const draw = () =>
    loaded(at, async () => {
      const data = [];
      for (let cursor = null; ; ) {
        const page = await call("GET", "/v1/cover-pages", { query: { limit: 200, cursor }, signal });
        data.push(...page.data);
        if (!page.has_more) break;
        cursor = page.next_cursor;
      }
      if (!data.length)
        return empty("No cover pages.", "A cover page stands before a fax and says who it is for.", mayAdd && add());
      return h(
        "ul.covers",
        null,
        data.map((cover) => card(cover, draw)),
      );
    });
  draw();
  return h(
    "section.card",
    { "aria-labelledby": "cover-pages" },
    h("div.card-head", null, h("h2", { id: "cover-pages" }, "Cover pages"), mayAdd && add()),
    at,
  );
}
