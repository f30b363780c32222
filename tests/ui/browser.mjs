// SPDX-License-Identifier: GPL-2.0-or-later
// A browser on the pages of a real faxd: signed-in windows of two sizes, everything that must not happen gathered on the way
// (errors on the console, requests that leave the server, dialogs of scripts), and the accessibility check.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";

const SOURCE = process.env.FAXD_SRC;
const tools = createRequire(path.join(SOURCE, "build-ui", "tools.js"));
const { chromium } = tools("playwright-core");
const axe = readFileSync(tools.resolve("axe-core/axe.min.js"), "utf8");

export const URL = process.env.UI_URL;
export const KEY = process.env.UI_KEY;
export const SETUP = process.env.UI_SETUP || "";
export const RECEIVER = process.env.UI_RECEIVER;
export const PASSWORD = "four plain words here";
export const document_ = (name) => path.join(SOURCE, "tests/data/documents", name);
export const PATIENCE = 60000;

export const SIZES = { desktop: { width: 1280, height: 860 }, phone: { width: 360, height: 740 } };

let browser = null;
let state = null; // the cookies of the session, once there is one
const wrong = []; // what must not happen
let right = []; // replies that a fact asks for: Chromium calls each reply of 4xx an error on the console

export async function start() {
  browser = await chromium.launch({
    executablePath: process.env.FAXD_CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
}

export const stop = () => browser && browser.close();
export function faults() {
  right = [];
  return wrong.splice(0);
}
export function expects(...replies) {
  right = replies.map(String);
}

function watch(page) {
  page.on("console", (message) => {
    const status = /^Failed to load resource: .* status of (\d+)/.exec(message.text());
    if (message.type() === "error" && !(status && right.includes(status[1])))
      wrong.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error.stack || error}`));
  page.on("dialog", (dialog) => {
    wrong.push(`a script opened a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    if (
      !request.url().startsWith(URL + "/") &&
      !request.url().startsWith("blob:" + URL) &&
      !request.url().startsWith("data:")
    )
      wrong.push(`left the server: ${request.url()}`);
  });
}

// UI_PAGES names a folder of pages in place of those in the program: to see a change without building.
async function fromFolder(route) {
  const at = new globalThis.URL(route.request().url()).pathname,
    reply = await route.fetch();
  await route.fulfill({
    status: 200,
    headers: { "Content-Security-Policy": reply.headers()["content-security-policy"] },
    path: path.join(process.env.UI_PAGES, at === "/" ? "index.html" : at.slice(4)),
    contentType: { ".js": "text/javascript", ".css": "text/css" }[path.extname(at)] || "text/html",
  });
}

// A window nobody is signed in to.
export async function fresh(size = "desktop", scheme = "light") {
  const context = await browser.newContext({
    viewport: SIZES[size],
    colorScheme: scheme,
    acceptDownloads: true,
    hasTouch: size === "phone",
    locale: "en-GB",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  watch(page);
  if (process.env.UI_PAGES) await page.route(/\/(ui\/[^?]*)?$/, fromFolder);
  return page;
}

// A window of somebody who is signed in, at a page.
export async function signedIn(at = "/", size = "desktop", scheme = "light") {
  const page = await fresh(size, scheme);
  if (state) {
    await page.context().addCookies(state);
    await page.addInitScript(() => localStorage.setItem("faxd-signed-in", "1"));
  } else await page.addInitScript((key) => sessionStorage.setItem("faxd-key", key), KEY);
  await go(page, at);
  return page;
}

export async function keepSession(page) {
  state = await page.context().cookies();
}

export const bySession = () => Boolean(state);

// Makes the first user, and its session the one of all windows, without the pages.
export async function firstUser() {
  const reply = await fetch(URL + "/v1/setup", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code: SETUP, name: "admin", password: PASSWORD }),
  });
  if (!reply.ok) throw new Error(`setup: ${reply.status} ${await reply.text()}`);
  const [name, value] = reply.headers.get("Set-Cookie").split(";")[0].split("=");
  state = [{ name, value, url: URL, httpOnly: true, sameSite: "Strict" }];
}

const operations = (await (await fetch(URL + "/v1/openapi.json")).json()).paths;
export const has = (method, at) => Boolean(operations[at] && operations[at][method]);

export const status = (page, text) => page.locator(".fax-status .badge", { hasText: text }).first().waitFor();
export const idOf = (page) => new globalThis.URL(page.url()).hash.split("/").pop();
export const row = (page, id) => page.locator(`tr[data-key="${id}"]`);
export const close = (page) => page.context().close();

export const ready = (page, name) =>
  page.waitForFunction(
    (wanted) => (wanted ? document.body.dataset.ready === wanted : document.body.dataset.ready),
    name || null,
  );

export async function go(page, at) {
  const address = `${URL}/#${at}`;
  await page.evaluate(() => {
    delete document.body.dataset.ready;
  });
  if (page.url() === address) await page.reload();
  else await page.goto(address);
  await ready(page);
}

// Faults of the accessibility check that are serious or worse, in words.
export async function inaccessible(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return result.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map(
      (one) =>
        `${one.id}: ${one.help}: ${one.nodes
          .slice(0, 3)
          .map((node) => node.html.slice(0, 160))
          .join(" | ")}`,
    );
}

// The API by the admin's key, to prepare what a fact needs and to look behind the pages.
export async function api(method, at, body) {
  const reply = await fetch(URL + at, {
    method,
    headers: { Authorization: `Bearer ${KEY}`, ...(body ? { "Content-Type": "application/json" } : {}) },
    body: body && JSON.stringify(body),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${method} ${at}: ${reply.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

export async function until(condition, what) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > end) throw new Error(`waited ${PATIENCE / 1000} s for ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export const waitState = (id, ...states) =>
  until(
    async () => {
      const fax = await api("GET", `/v1/faxes/${id}`);
      return states.includes(fax.status) && fax;
    },
    `${id} to be ${states.join(" or ")}`,
  );

export async function sendByApi(to, text = "A page of text.\n", more = {}) {
  return (await api("POST", "/v1/faxes", { to, documents: [{ text }], ...more })).id;
}
