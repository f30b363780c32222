// Who is here, and what may be offered: the server's own description of its API says which operations there are and which
// roles may use them. What is not in it is not shown, so the pages are as true as the server is.
import { ask, call, get, hasKey, useKey, useToken } from "./api.js";

let operations = new Map(); // "GET /v1/faxes/{}" -> operation
let document_ = null;
let user = null; // of the session; null with a key
let version = "";

const shape = (path) => path.replace(/\{[^}]*\}/g, "{}");

export async function learn() {
  document_ = await (await ask("GET", "/v1/openapi.json", { cache: "default", quiet: true })).json();
  operations = new Map();
  for (const [path, item] of Object.entries(document_.paths))
    for (const [method, operation] of Object.entries(item))
      operations.set(`${method.toUpperCase()} ${shape(path)}`, operation);
}

export const description = () => document_;
export const exists = (name) => operations.has(shape(name));

// offers("POST /v1/faxes/{}/hold"): there is such an operation, and this user's role may do it.
export function offers(name) {
  const operation = operations.get(shape(name));
  if (!operation) return false;
  const roles = operation["x-roles"];
  return !user || !Array.isArray(roles) || roles.includes(user.role) || roles.includes("anyone");
}

export function resolve(node) {
  while (node && node.$ref)
    node = node.$ref
      .slice(2)
      .split("/")
      .reduce((at, step) => at && at[step], document_);
  return node || {};
}

export function takes(name, parameter) {
  const operation = operations.get(shape(name));
  return Boolean(operation) && (operation.parameters || []).some((p) => resolve(p).name === parameter);
}

function bodySchema(name) {
  const body = resolve((operations.get(shape(name)) || {}).requestBody),
    content = body.content || {};
  return resolve(content["application/json"] && content["application/json"].schema);
}

function propertyOf(schema, property) {
  if (schema.properties && property in schema.properties) return resolve(schema.properties[property]);
  return (schema.allOf || []).map((one) => propertyOf(resolve(one), property)).find(Boolean);
}

// Has the JSON body of an operation such a property; and which values may that have.
export const bodyHas = (name, property) => Boolean(propertyOf(bodySchema(name), property));
export const enumOf = (name, property) => (propertyOf(bodySchema(name), property) || {}).enum || [];

export const me = () => user;
export const isSignedIn = () => Boolean(user) || hasKey();
export const serverVersion = () => version;

// Kept to know whether asking for a session can lead to anything; the session itself is a cookie that scripts cannot see.
const remember = (is) => (is ? localStorage.setItem("faxd-signed-in", "1") : localStorage.removeItem("faxd-signed-in"));

function begin(session) {
  useKey(null);
  remember(true);
  user = session.user;
  useToken(session.csrf);
}

// What a reload finds: a session's cookie, or a key of this tab.
export async function resume() {
  call("GET", "/health/live", { quiet: true }).then(
    (live) => {
      version = live.version || "";
    },
    () => {},
  );
  if (hasKey()) return;
  if (!exists("GET /v1/session") || !localStorage.getItem("faxd-signed-in")) return;
  try {
    begin(await call("GET", "/v1/session", { quiet: true }));
  } catch (error) {
    if (error.status !== 401) throw error;
    remember(false);
  }
}

export async function needsSetup() {
  return exists("GET /v1/setup") && (await call("GET", "/v1/setup", { quiet: true })).needed === true;
}

export async function signIn(name, password) {
  begin(await call("POST", "/v1/session", { json: { name, password }, quiet: true }));
}

export async function setUp(code, name, password) {
  begin(await call("POST", "/v1/setup", { json: { code, name, password }, quiet: true }));
}

export async function signInByKey(text) {
  useKey(text);
  try {
    await get("/v1/lines");
  } catch (error) {
    if (error.status !== 403) {
      useKey(null);
      throw error;
    }
  }
  user = null;
}

export async function signOut() {
  if (user) await call("DELETE", "/v1/session", { quiet: true }).catch(() => {});
  forget();
}

export function forget() {
  user = null;
  remember(false);
  useToken(null);
  useKey(null);
}
