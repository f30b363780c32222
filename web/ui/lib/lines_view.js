// Lines as cards: what each does now, and its switches.
import { h } from "./dom.js";
import { parts, patch, post } from "./api.js";
import { offers } from "./access.js";
import { toast } from "./dialog.js";
import { button, doing } from "./parts.js";
import { badge } from "./words.js";
import { seconds, when } from "./format.js";

const states = {
  idle: ["good", "check", "Free"],
  busy: ["work", "line", "In a call"],
  down: ["bad", "cross", "Down"],
  lost: ["bad", "warn", "Lost"],
  unavailable: ["warn", "warn", "Cannot send"],
};

export const lineBadge = (state) => badge(...(states[state] || ["off", "dot", state || "unknown"]));

export function callText(line) {
  const call = line.call;
  if (!call) return "";
  const out = call.direction === "outbound";
  const long = call.started_at ? `, ${seconds((Date.now() - new Date(call.started_at)) / 1000)}` : "";
  const rate = call.rate_bps ? `, ${call.rate_bps} bit/s` : "";
  return `${out ? "Sending to" : "Receiving from"} ${call.peer || "an unknown number"}${call.page ? `, page ${call.page}` : ""}${rate}${long}`;
}

function switchOf(line, name, text, changed) {
  const input = h("input", {
    type: "checkbox",
    role: "switch",
    checked: line[name],
    disabled: !offers("PATCH /v1/lines/{line}"),
    onchange: doing(async () => {
      const wanted = input.checked;
      try {
        changed(await patch(`/v1/lines/${parts(line.id)}`, { [name]: wanted }));
      } catch (error) {
        input.checked = !wanted;
        throw error;
      }
      toast(`Line ${line.number || line.name}: ${text.toLowerCase()} ${wanted ? "on" : "off"}`);
    }),
  });
  return h("label", null, input, text);
}

function device(line) {
  if (!line.device) return null;
  const test = line.device.last_test;
  return [
    h(
      "p.hint",
      null,
      [line.device.model, line.device.path, line.device.state !== "up" && (line.device.reason || line.device.state)]
        .filter(Boolean)
        .join(" · "),
    ),
    test && h("p.hint", null, test.ok ? "Test passed " : "Test failed ", when(test.at, { ago: true })),
    test &&
      test.report &&
      h("details", null, h("summary", null, "Report of the test"), h("pre", { tabindex: "0" }, test.report)),
  ];
}

export function lineCard(line, changed, { tools = true } = {}) {
  return h(
    "li.line",
    { "data-line": line.id },
    h("div.line-head", null, h("strong", null, line.number || line.name || line.id), lineBadge(line.state)),
    line.call
      ? h("p", null, line.call.fax ? h("a", { href: `#/faxes/${line.call.fax}` }, callText(line)) : callText(line))
      : null,
    line.reason && h("p.fault", null, line.reason),
    h(
      "p.hint",
      null,
      [line.id, line.simulated && "simulated", (line.groups || []).length ? `group ${line.groups.join(", ")}` : null]
        .filter(Boolean)
        .join(" · "),
    ),
    tools && device(line),
    tools &&
      h(
        "div.switches",
        null,
        switchOf(line, "send_enabled", "Sends", changed),
        switchOf(line, "receive_enabled", "Receives", changed),
      ),
    tools &&
      h(
        "div.actions",
        null,
        line.device &&
          offers("POST /v1/lines/{}/{}/test") &&
          button(
            "Test",
            doing(async () => {
              changed(await post(`/v1/lines/${parts(line.id)}/test`));
              toast("The test has begun; its result appears here.");
            }),
          ),
        line.number &&
          offers("POST /v1/faxes") &&
          h("a.button", { href: `#/send?to=${encodeURIComponent(line.number)}` }, "Send it a fax"),
      ),
  );
}
