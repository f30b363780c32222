// The event stream, one for all pages. fetch and not EventSource: that one cannot send a key in a header, and a key in an
// address ends in logs. A lost connection is taken up again with Last-Event-ID, ever more patiently.
import { ask } from "./api.js";

const listeners = new Set();
let running = null;
let last = "";
let state = "off"; // off, live, lost
let onState = () => {};

function setState(next) {
  if (state === next) return;
  state = next;
  onState(next);
}

export function whenState(work) {
  onState = work;
  work(state);
}

// `work(event)` for each event until the signal; with null after a gap, when all has to be looked at again.
export function follow(work, signal) {
  listeners.add(work);
  signal.addEventListener("abort", () => listeners.delete(work));
}

function tell(event) {
  listeners.forEach((work) => work(event));
}

function take(block) {
  const fields = block.split("\n");
  const data = fields
    .filter((line) => line.startsWith("data: "))
    .map((line) => line.slice(6))
    .join("\n");
  const id = fields.find((line) => line.startsWith("id: "));
  if (id) last = id.slice(4);
  if (!data) return;
  let event;
  try {
    event = JSON.parse(data);
  } catch {
    return;
  }
  tell(event);
}

async function read(signal, onOpen) {
  const headers = { Accept: "text/event-stream" };
  if (last) headers["Last-Event-ID"] = last;
  const reply = await ask("GET", "/v1/events/stream", { headers, signal });
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  onOpen();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    blocks.forEach(take);
  }
}

const pause = (ms, signal) =>
  new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });

async function keep(signal) {
  let wait = 1000,
    known = false;
  while (!signal.aborted) {
    try {
      await read(signal, () => {
        setState("live");
        if (known && !last) tell(null);
        known = true;
        wait = 1000;
      });
    } catch (error) {
      if (signal.aborted || error.status === 401 || error.status === 403) return;
      if (error.retryAfter) wait = Math.max(wait, error.retryAfter * 1000);
    }
    if (signal.aborted) return;
    setState("lost");
    await pause(wait * (0.75 + Math.random() / 2), signal);
    wait = Math.min(wait * 2, 30000);
  }
}

export function start() {
  stop();
  running = new AbortController();
  last = "";
  keep(running.signal);
}

export function stop() {
  if (running) running.abort();
  running = null;
  setState("off");
}
