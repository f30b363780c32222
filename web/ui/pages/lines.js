// Lines, the providers that have them, and the trunks behind those: state, calls, switches, tests.
import { h, put, lazily } from "../lib/dom.js";
import { get, isAbort, part, post } from "../lib/api.js";
import { offers } from "../lib/access.js";
import { follow } from "../lib/stream.js";
import { fault, toast } from "../lib/dialog.js";
import { button, card, doing, empty, heading, smallTable } from "../lib/parts.js";
import { badge } from "../lib/words.js";
import { lineCard } from "../lib/lines_view.js";
import { number, when, words } from "../lib/format.js";

const up = {
  up: ["good", "check", "Up"],
  ready: ["good", "check", "Up"],
  running: ["good", "check", "Up"],
  down: ["bad", "cross", "Down"],
  registering: ["work", "clock", "Registering"],
  disabled: ["off", "off", "Off"],
  starting: ["work", "clock", "Starting"],
};
const stateBadge = (state) => badge(...(up[state] || ["warn", "warn", words(state)]));

function providersTable(list) {
  return smallTable(
    "Providers",
    [
      ["Name", (one) => one.name],
      ["State", (one) => [stateBadge(one.state), one.reason && h("span.hint", null, " " + one.reason)]],
      ["Module", (one) => h("code", null, String(one.module).split("/").pop())],
      ["Lines", (one) => number(one.lines), "num"],
      ["Restarts", (one) => number(one.restarts), "num"],
    ],
    list,
  );
}

function testText(test) {
  if (!test) return "Never";
  return [
    test.ok
      ? `Answered${test.rtt_ms !== undefined ? ` in ${test.rtt_ms} ms` : ""}, `
      : `No good answer${test.status ? ` (${test.status}${test.reason ? " " + test.reason : ""})` : ""}, `,
    when(test.at, { ago: true }),
  ];
}

function trunksTable(list, update) {
  return smallTable(
    "Trunks",
    [
      ["Name", (one) => one.name],
      ["State", (one) => [stateBadge(one.state), one.reason && h("span.hint", null, " " + one.reason)]],
      ["Kind", (one) => words(one.kind) || "–"],
      ["Calls now", (one) => number(one.calls), "num"],
      ["Calls", (one) => number(one.calls_total), "num"],
      ["Failed", (one) => number(one.failures_total), "num"],
      ["Last test", (one) => testText(one.last_test)],
      [
        "",
        (one) =>
          offers("POST /v1/trunks/{}/{}/test") &&
          button(
            "Test",
            doing(async () => {
              await post(`/v1/trunks/${part(one.provider)}/${part(one.name)}/test`);
              toast("Asked; the answer appears here.");
              setTimeout(update, 1500);
            }),
          ),
        "act",
      ],
    ],
    list,
  );
}

export async function show(view, { signal }) {
  const lines = h("ul.lines", { "aria-label": "Lines" }),
    rest = h("div");
  const drawLines = (list) => {
    const focus =
      document.activeElement && document.activeElement.closest && document.activeElement.closest(".lines")
        ? document.activeElement
        : null;
    const place = focus && [
      focus.closest("[data-line]")?.dataset.line,
      [...focus.closest("[data-line]").querySelectorAll("input, a, button, summary")].indexOf(focus),
    ];
    const open = new Set(
      [...lines.querySelectorAll("details[open]")].map((one) => one.closest("[data-line]").dataset.line),
    );
    put(
      lines,
      list.map((line) => lineCard(line, update)),
    );
    for (const item of lines.children)
      if (open.has(item.dataset.line)) item.querySelector("details")?.setAttribute("open", "");
    if (place)
      [...lines.querySelectorAll("[data-line]")]
        .find((item) => item.dataset.line === place[0])
        ?.querySelectorAll("input, a, button, summary")
        [place[1]]?.focus();
  };
  const draw = async () => {
    const [own, providers, trunks] = await Promise.all([
      get("/v1/lines", null, signal),
      offers("GET /v1/providers") ? get("/v1/providers", null, signal) : { data: [] },
      offers("GET /v1/trunks") ? get("/v1/trunks", null, signal).catch(() => ({ data: [] })) : { data: [] },
    ]);
    drawLines(own.data);
    put(
      rest,
      providers.data.length > 0 && h("section.card", null, providersTable(providers.data)),
      trunks.data.length > 0 && h("section.card", null, trunksTable(trunks.data, update)),
    );
    return own.data.length;
  };
  const update = lazily(() => {
    if (!signal.aborted)
      draw().catch((error) => {
        if (!isAbort(error)) fault(error);
      });
  }, 400);
  const count = await draw();
  put(
    view,
    heading("Lines"),
    count
      ? card("Lines", lines)
      : empty(
          "No lines are configured.",
          "Lines are named in faxd.conf, each in the section of its provider: see faxd.conf(5).",
        ),
    rest,
  );
  follow(() => update(), signal);
  const timer = setInterval(() => {
    if (!document.hidden) update();
  }, 2000);
  signal.addEventListener("abort", () => clearInterval(timer));
}
