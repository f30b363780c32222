// The frame around the pages: who is here, the menu, and the way from an address (#/queue?q=...) to the page that shows it.
// A page is a module of pages/ with show(view, {params, query, signal}); the signal ends what it began when it is left.
import { announce, h, put } from "./lib/dom.js";
import { icon } from "./lib/icons.js";
import { isAbort, whenSignedOut } from "./lib/api.js";
import * as access from "./lib/access.js";
import * as stream from "./lib/stream.js";
import { menuButton, toast } from "./lib/dialog.js";
import { heading } from "./lib/parts.js";
import { forgetPictures } from "./lib/picture.js";

// path, module, and the operation without which it is not shown; those with a label are in the menu.
const pages = [
  { path: "/", module: "dashboard", need: "GET /v1/lines", label: "Overview", icon: "home", group: "Faxes" },
  { path: "/send", module: "send", need: "POST /v1/faxes", label: "Send", icon: "send", group: "Faxes", phone: true },
  {
    path: "/queue",
    module: "faxes",
    need: "GET /v1/faxes",
    label: "Queue",
    icon: "queue",
    group: "Faxes",
    phone: true,
  },
  { path: "/sent", module: "faxes", need: "GET /v1/faxes", label: "Sent", icon: "sent", group: "Faxes" },
  {
    path: "/inbox",
    module: "inbox",
    need: "GET /v1/faxes",
    label: "Inbox",
    icon: "inbox",
    group: "Faxes",
    phone: true,
  },
  { path: "/faxes/{id}", module: "fax", need: "GET /v1/faxes/{}" },
  { path: "/batches", module: "batches", need: "GET /v1/batches", label: "Batches", icon: "people", group: "Faxes" },
  { path: "/batches/{id}", module: "batches", need: "GET /v1/batches/{}" },
  {
    path: "/contacts",
    module: "contacts",
    need: "GET /v1/contacts",
    label: "Contacts",
    icon: "people",
    group: "Directory",
  },
  {
    path: "/covers",
    module: "covers",
    need: "GET /v1/cover-pages",
    label: "Covers, identities",
    icon: "cover",
    group: "Directory",
  },
  { path: "/rules", module: "rules", need: "GET /v1/rules/block", label: "Rules", icon: "rules", group: "Directory" },
  {
    path: "/destinations",
    module: "destinations",
    need: "GET /v1/destinations",
    label: "Destinations",
    icon: "call",
    group: "Directory",
  },
  {
    path: "/reports",
    module: "reports",
    need: "GET /v1/reports/usage",
    label: "Reports",
    icon: "chart",
    group: "Server",
  },
  { path: "/lines", module: "lines", need: "GET /v1/lines", label: "Lines", icon: "line", group: "Server" },
  {
    path: "/webhooks",
    module: "webhooks",
    need: "GET /v1/webhook-endpoints",
    label: "Webhooks",
    icon: "hook",
    group: "Server",
  },
  { path: "/webhooks/{id}", module: "webhooks", need: "GET /v1/webhook-endpoints/{}" },
  { path: "/keys", module: "keys", need: "GET /v1/api-keys", label: "API keys", icon: "key", group: "Server" },
  {
    path: "/explorer",
    module: "explorer",
    need: "GET /v1/openapi.json",
    label: "API explorer",
    icon: "code",
    group: "Server",
  },
  { path: "/users", module: "users", need: "GET /v1/users", label: "Users", icon: "user", group: "Server" },
  { path: "/audit", module: "audit", need: "GET /v1/audit-log", label: "Audit log", icon: "audit", group: "Server" },
  { path: "/system", module: "system", need: "GET /health/ready", label: "System", icon: "system", group: "Server" },
  { path: "/account", module: "account", need: "POST /v1/session/password", personal: true },
];

const frame = document.getElementById("frame");
let main = null,
  menu = null,
  liveness = null;
let shown = null; // AbortController of the page on the screen

const matches = (path, at) => {
  const names = [],
    pattern = path.replace(/\{(\w+)\}/g, (_, name) => {
      names.push(name);
      return "([^/]+)";
    });
  const found = new RegExp(`^${pattern}$`).exec(at);
  return found && Object.fromEntries(names.map((name, nth) => [name, decodeURIComponent(found[nth + 1])]));
};

// --- the frame ---

function themeItem() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  return {
    label: dark ? "Light colours" : "Dark colours",
    icon: dark ? "sun" : "moon",
    act: () => {
      root.dataset.theme = dark ? "light" : "dark";
      localStorage.setItem("faxd-theme", root.dataset.theme);
    },
  };
}

function systemItem() {
  return (
    document.documentElement.dataset.theme && {
      label: "Colours of the system",
      icon: "system",
      act: () => {
        delete document.documentElement.dataset.theme;
        localStorage.removeItem("faxd-theme");
      },
    }
  );
}

function account() {
  const user = access.me();
  const name = user ? user.display_name || user.name : "API key";
  return h(
    "div.account",
    null,
    h("span.account-name", null, icon(user ? "user" : "key"), name),
    menuButton("Your account", () => [
      themeItem(),
      systemItem(),
      user &&
        access.offers("POST /v1/session/password") && {
          label: "Change password",
          icon: "key",
          act: () => {
            location.hash = "/account";
          },
        },
      { label: user ? "Sign out" : "Forget the key", icon: "off", act: () => leave() },
    ]),
  );
}

const offered = () => pages.filter((page) => page.label && access.offers(page.need));

function menuOf(list) {
  const groups = [...new Set(list.map((page) => page.group))];
  return h(
    "nav.side",
    { id: "menu", "aria-label": "Pages" },
    groups.map((group) => [
      h("h2.side-title", null, group),
      h(
        "ul",
        null,
        list
          .filter((page) => page.group === group)
          .map((page) =>
            h(
              "li",
              null,
              h("a", { href: "#" + page.path, "data-path": page.path }, icon(page.icon), h("span", null, page.label)),
            ),
          ),
      ),
    ]),
  );
}

function openMenu(open) {
  document.body.classList.toggle("menu-open", open);
  document.querySelectorAll("[data-menu]").forEach((button) => button.setAttribute("aria-expanded", String(open)));
  if (open) menu.querySelector("a").focus();
}

function drawFrame() {
  const list = offered();
  main = h("main", { id: "main", tabindex: "-1" });
  menu = menuOf(list);
  liveness = h("span.live", { role: "status" });
  const toggle = (label) =>
    h(
      "button",
      {
        type: "button",
        "data-menu": "",
        "aria-controls": "menu",
        "aria-expanded": "false",
        onclick: () => openMenu(!document.body.classList.contains("menu-open")),
      },
      icon("menu"),
      h("span", null, label),
    );
  put(
    frame,
    h(
      "header.top",
      null,
      h("a.brand", { href: "#/" }, h("span.brand-mark", { "aria-hidden": "true" }, "fax"), "faxd"),
      liveness,
      account(),
    ),
    h("div.body", null, menu, main),
    h(
      "nav.bottom",
      { "aria-label": "Main pages" },
      list
        .filter((page) => page.phone)
        .map((page) =>
          h("a", { href: "#" + page.path, "data-path": page.path }, icon(page.icon), h("span", null, page.label)),
        ),
      toggle("Menu"),
    ),
  );
  stream.whenState((state) => {
    liveness.className = "live live-" + state;
    liveness.textContent = { live: "Live", lost: "Connection lost, trying again", off: "" }[state];
  });
}

function drawBare() {
  main = h("main.bare", { id: "main", tabindex: "-1" });
  menu = null;
  put(frame, main);
}

// --- the way to a page ---

function where() {
  const [path, query] = (location.hash.slice(1) || "/").split("?");
  return { path: path || "/", query: new URLSearchParams(query || "") };
}

function markMenu(path) {
  const top = path === null ? null : "/" + (path.split("/")[1] || "");
  frame.querySelectorAll("nav.side a, nav.bottom a").forEach((a) => {
    if (a.dataset.path === top) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  });
}

async function showPage(module, context) {
  if (shown) shown.abort();
  shown = new AbortController();
  const signal = shown.signal,
    view = h("div.page", { class: "page-" + module });
  try {
    const page = await import(`./pages/${module}.js`);
    if (signal.aborted) return;
    put(main, view);
    scrollTo(0, 0);
    await page.show(view, { ...context, signal });
    if (signal.aborted) return;
    const title = view.querySelector("h1");
    if (title && context.moved) {
      title.focus({ preventScroll: true });
      announce(title.textContent);
    }
    document.body.dataset.ready = module;
  } catch (error) {
    if (isAbort(error) || signal.aborted) return;
    put(view, heading("This page could not be shown"), h("p", { role: "alert" }, error.message));
    if (!view.isConnected) put(main, view);
    document.body.dataset.ready = module;
  }
}

let first = true;
function go() {
  delete document.body.dataset.ready;
  openMenuIfAny(false);
  const { path, query } = where(),
    moved = !first;
  first = false;
  if (!access.isSignedIn()) {
    drawBare();
    return showPage("signin", { query, enter, moved, code: path.startsWith("setup=") ? path.slice(6) : "" });
  }
  if (!menu) drawFrame();
  for (const page of pages) {
    const params = matches(page.path, path);
    if (params && access.offers(page.need) && !(page.personal && !access.me())) {
      markMenu(path);
      return showPage(page.module, { params, query, moved, path });
    }
  }
  markMenu(null);
  return showPage("missing", { path, moved, home: offered()[0] });
}

function openMenuIfAny(open) {
  if (menu) openMenu(open);
}

function enter(to = "/") {
  menu = null;
  stream.start();
  if (location.hash === "#" + to) go();
  else location.hash = to;
}

async function leave(why) {
  stream.stop();
  forgetPictures();
  await access.signOut();
  menu = null;
  if (why) toast(why, { tone: "bad" });
  if (location.hash && location.hash !== "#/") location.hash = "/";
  else go();
}

let leaving = false;
whenSignedOut((problem) => {
  if (leaving || !access.isSignedIn()) return;
  leaving = true;
  leave(
    access.me() ? "Your session has ended. Sign in again." : `The key does not open this any more: ${problem.message}`,
  ).finally(() => {
    leaving = false;
  });
});

addEventListener("hashchange", go);
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part after # is the address of the page
  (main.querySelector("h1") || main).focus();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("menu-open")) {
    openMenu(false);
    document.querySelector("[data-menu]").focus();
  }
});

try {
  await access.learn();
  await access.resume();
  if (access.isSignedIn()) stream.start();
  go();
} catch (error) {
  drawBare();
  put(
    main,
    heading("faxd"),
    h("p", { role: "alert" }, error.message),
    h("button.primary", { type: "button", onclick: () => location.reload() }, "Try again"),
  );
}
