// The REST API: requests with the session's token or a key, and its problem documents as errors.

const PATIENCE_S = 10;

let key = sessionStorage.getItem("faxd-key");
let csrf = null;
let onSignedOut = () => {};

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.code = body.code || "";
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    this.requestId = body.request_id || "";
    this.retryAfter = 0;
  }
}

export const hasKey = () => Boolean(key);
export const keyText = () => key;

export function useKey(text) {
  key = text;
  if (text) sessionStorage.setItem("faxd-key", text);
  else sessionStorage.removeItem("faxd-key");
}

export function useToken(token) {
  csrf = token;
}
export function whenSignedOut(work) {
  onSignedOut = work;
}

// A name that nobody used before; crypto.randomUUID is not there on plain HTTP from another machine.
export function nonce() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
}

export function address(path, query) {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query || {}))
    if (value !== undefined && value !== null && value !== "") text.set(name, value);
  const tail = text.toString();
  return tail ? `${path}?${tail}` : path;
}

function headersOf(method, given) {
  const headers = { ...given };
  if (key) headers.Authorization = "Bearer " + key;
  else if (csrf && method !== "GET") headers["X-CSRF-Token"] = csrf;
  return headers;
}

async function problemOf(reply) {
  const body = await reply.json().catch(() => ({}));
  const problem = new Problem(reply.status, body);
  problem.retryAfter = Number(reply.headers.get("Retry-After")) || 0;
  return problem;
}

async function fetched(url, init) {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer. Is it running, and is the network there?");
  }
}

// The reply as it is. What only reads waits once for a rate limit. Throws a Problem, or an Error in words when there is no answer.
export async function ask(method, path, options = {}) {
  const { query, json, text, form, headers, signal, quiet, cache = "no-store" } = options;
  const init = { method, headers: headersOf(method, headers), signal, cache, credentials: "same-origin" };
  if (json !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(json);
  } else if (text !== undefined || form) {
    init.body = text ?? form;
  }
  const reply = await fetched(address(path, query), init);
  if (reply.ok) return reply;
  const problem = await problemOf(reply);
  if (reply.status === 429 && method === "GET" && !options.again && problem.retryAfter <= PATIENCE_S) {
    await new Promise((done) => setTimeout(done, problem.retryAfter * 1000));
    return ask(method, path, { ...options, again: true });
  }
  if (reply.status === 401 && !quiet) onSignedOut(problem);
  throw problem;
}

export async function call(method, path, options) {
  const reply = await ask(method, path, options);
  if (reply.status === 204) return null;
  const text = await reply.text();
  return text ? JSON.parse(text) : null;
}

export const get = (path, query, signal) => call("GET", path, { query, signal });

// All of a list, however many pages it takes.
export async function getAll(path, query, signal) {
  const all = [];
  for (let cursor = null; ; ) {
    const page = await get(path, { limit: 200, ...query, cursor }, signal);
    all.push(...page.data);
    if (!page.has_more) return all;
    cursor = page.next_cursor;
  }
}

export const post = (path, json = {}, options = {}) => call("POST", path, { json, ...options });
export const patch = (path, json) => call("PATCH", path, { json });
export const remove = (path, query) => call("DELETE", path, { query });
// A verb without a body.
export const verb = (path) => call("POST", path, {});

export const part = encodeURIComponent;
// The id of a line has a slash that is part of the path.
export const parts = (id) => id.split("/").map(part).join("/");

export const isAbort = (error) => error && error.name === "AbortError";
