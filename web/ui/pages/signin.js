// The door: sign in by name and password, with an API key, or make the first user of a new server.
import { h, put } from "../lib/dom.js";
import * as access from "../lib/access.js";
import { card } from "../lib/parts.js";
import { field, form } from "../lib/form.js";
import { plural } from "../lib/format.js";
import { Problem } from "../lib/api.js";

function inWords(error) {
  if (error instanceof Problem && error.status === 429 && error.retryAfter)
    return new Error(`${error.message.replace(/\.?$/, ".")} Try again in ${plural(error.retryAfter, "second")}.`);
  return error;
}

async function tried(work) {
  try {
    await work();
  } catch (error) {
    throw inWords(error);
  }
}

function passwordForm(enter) {
  return form(
    {
      action: "Sign in",
      submit: (data) =>
        tried(async () => {
          await access.signIn(data.name, data.password);
          enter("/");
        }),
    },
    field("Name", {
      name: "name",
      required: true,
      autocomplete: "username",
      autocapitalize: "none",
      spellcheck: "false",
    }),
    field("Password", { name: "password", type: "password", required: true, autocomplete: "current-password" }),
  );
}

function keyForm(enter) {
  return form(
    {
      action: "Open with the key",
      submit: (data) =>
        tried(async () => {
          await access.signInByKey(data.key);
          enter("/");
        }),
    },
    field("API key", {
      name: "key",
      type: "password",
      required: true,
      autocomplete: "off",
      spellcheck: "false",
      placeholder: "fxk_live_…",
      hint: [
        "It stays in this tab until you close it. The first key of a server is in ",
        h("code", null, "admin.key"),
        " of its state folder.",
      ],
    }),
  );
}

function setupForm(code, enter) {
  return form(
    {
      action: "Create and sign in",
      submit: (data) =>
        tried(async () => {
          await access.setUp(data.code, data.name, data.password);
          enter("/send?welcome=1");
        }),
    },
    field("Setup code", {
      name: "code",
      value: code,
      required: true,
      autocomplete: "off",
      spellcheck: "false",
      hint: code
        ? "Taken from the link that you followed."
        : ["It is in ", h("code", null, "setup.code"), " of the state folder, and shows that this server is yours."],
    }),
    field("Your name here", {
      name: "name",
      value: "admin",
      required: true,
      autocomplete: "username",
      autocapitalize: "none",
      spellcheck: "false",
    }),
    field("Password", {
      name: "password",
      type: "password",
      required: true,
      autocomplete: "new-password",
      hint: "A few words that belong to nothing else are good; long is better than odd.",
    }),
  );
}

export async function show(view, { enter, code }) {
  document.title = "Sign in – faxd";
  const setup = await access.needsSetup().catch(() => false);
  const byName = access.exists("POST /v1/session") && !setup;
  const byKey = card("Open with a key", keyForm(enter));
  put(
    view,
    h(
      "div.door",
      null,
      h("p.brand.brand-big", null, h("span.brand-mark", { "aria-hidden": "true" }, "fax"), "faxd"),
      h("h1", { tabindex: "-1" }, setup ? "Welcome. Make yourself the administrator" : "Sign in"),
      setup &&
        card(
          "The first user",
          h("p.hint", null, "This server has no users yet. Then you can send a first fax at once."),
          setupForm(code, enter),
        ),
      byName && card("Name and password", passwordForm(enter)),
      setup || byName ? h("details.other-way", null, h("summary", null, "Use an API key"), byKey) : byKey,
    ),
  );
  view.querySelector(setup && code ? "input[name=password]" : "input")?.focus();
}
