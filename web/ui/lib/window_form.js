// Times of day at which a rule holds: read aloud, asked for, and in the shape of the API.
import { h } from "./dom.js";
import { field } from "./form.js";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

export function windowText(span) {
  if (!span) return "always";
  const days =
    (span.days || []).length && span.days.length < 7 ? span.days.map((day) => DAYS[day - 1]).join(" ") + ", " : "";
  return `${days}${span.from}–${span.to}${span.time_zone ? " " + span.time_zone : ""}`;
}

function dayBoxes(chosen) {
  return h(
    "fieldset.checks",
    null,
    h("legend", null, "Days"),
    h(
      "div.switches",
      null,
      DAYS.map((day, at) =>
        h(
          "label",
          null,
          h("input", {
            type: "checkbox",
            name: "days",
            value: String(at + 1),
            checked: chosen.includes(at + 1),
            "data-list": true,
          }),
          day,
        ),
      ),
    ),
  );
}

// `at` is the JSON pointer of the window in the body.
export function windowFields(given, at = "/window") {
  const span = given || {};
  return [
    h(
      "div.pair",
      null,
      field("From", { name: "from_time", type: "time", value: span.from, pointer: `${at}/from`, hint: "Empty: always." }),
      field("To", { name: "to_time", type: "time", value: span.to, pointer: `${at}/to` }),
      field("Time zone", {
        name: "time_zone",
        value: span.time_zone || Intl.DateTimeFormat().resolvedOptions().timeZone,
        pointer: `${at}/time_zone`,
      }),
    ),
    dayBoxes(span.days || [1, 2, 3, 4, 5, 6, 7]),
  ];
}

// undefined where nothing was asked for.
export function windowOf(data) {
  if (!data.from_time || !data.to_time) return undefined;
  const days = (data.days || []).map(Number);
  return {
    from: data.from_time,
    to: data.to_time,
    ...(days.length < 7 ? { days } : {}),
    ...(data.time_zone ? { time_zone: data.time_zone } : {}),
  };
}
