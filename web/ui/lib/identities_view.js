// Identities, as which faxes are sent: listed, added, changed, removed.
import { h } from "./dom.js";
import { get, part, patch, post, remove } from "./api.js";
import { offers } from "./access.js";
import { confirmed, menuButton, openDialog, toast } from "./dialog.js";
import { button, doing, empty, loaded, smallTable } from "./parts.js";
import { check, field, form } from "./form.js";

const zones = () => {
  try {
    return Intl.supportedValuesOf("timeZone");
  } catch {
    return [];
  }
};

function fieldsOf(one = {}) {
  const zone = one.time_zone || Intl.DateTimeFormat().resolvedOptions().timeZone;
  return [
    field("Name", { name: "name", value: one.name, required: true, maxlength: 100 }),
    h(
      "div.pair",
      null,
      field("Number", { name: "number", type: "tel", value: one.number, hint: "As the sender on the pages." }),
      field("Station id", {
        name: "station_id",
        value: one.station_id,
        maxlength: 20,
        hint: "What the other machine shows.",
      }),
    ),
    field("Name in the header line", { name: "header_text", value: one.header_text, maxlength: 100 }),
    h(
      "div.pair",
      null,
      field("Time zone of the header", {
        name: "time_zone",
        options: [["", "The server's"], ...[...new Set([zone, ...zones()])].map((name) => [name, name])],
        value: one.time_zone || "",
      }),
      field("Caller id", { name: "caller_id", type: "tel", value: one.caller_id }),
    ),
    check("Used when a fax names none", { name: "default", checked: one.default }),
  ];
}

function bodyOf(data, before) {
  const body = { name: data.name, default: data.default };
  for (const name of ["number", "station_id", "header_text", "time_zone", "caller_id"])
    if (data[name] || (before && before[name])) body[name] = data[name];
  if (!before && !data.default) delete body.default;
  return body;
}

const edit = (one, done) =>
  openDialog(one ? "Change the identity" : "New identity", (close) =>
    form(
      {
        action: one ? "Save" : "Add",
        cancel: () => close(),
        submit: async (data) => {
          if (one) await patch(`/v1/identities/${part(one.id)}`, bodyOf(data, one));
          else await post("/v1/identities", bodyOf(data));
          close();
          done();
        },
      },
      fieldsOf(one || {}),
    ),
  );

async function drop(one, done) {
  if (!(await confirmed(`Remove ${one.name}?`, "Faxes that were sent as it stay as they are.", "Remove it"))) return;
  await remove(`/v1/identities/${part(one.id)}`);
  toast("Removed");
  done();
}

// The section of a page.
export function identities(signal) {
  const at = h("div"),
    may = offers("POST /v1/identities");
  const draw = () =>
    loaded(at, async () => {
      const { data } = await get("/v1/identities", { limit: 200 }, signal);
      if (!data.length)
        return empty(
          "No identities.",
          "An identity is a name, a number and a header line as which faxes are sent: one for each department, say.",
          may && button("Add an identity", () => edit(null, draw), { kind: "primary" }),
        );
      return [
        smallTable(
          "Identities",
          [
            ["Name", (one) => [one.name, one.default && h("span.hint", null, " (default)")]],
            ["Number", (one) => one.number || "–"],
            ["Station id", (one) => one.station_id || "–"],
            ["Header line", (one) => one.header_text || "–"],
            ["Time zone", (one) => one.time_zone || "–"],
            [
              "",
              (one) =>
                offers("PATCH /v1/identities/{}") &&
                menuButton(`Actions for ${one.name}`, () => [
                  { label: "Change", icon: "cover", act: () => edit(one, draw) },
                  offers("DELETE /v1/identities/{}") && {
                    label: "Remove",
                    icon: "trash",
                    danger: true,
                    act: doing(() => drop(one, draw)),
                  },
                ]),
              "act",
            ],
          ],
          data,
        ),
        may &&
          h(
            "div.actions",
            null,
            button("Add an identity", () => edit(null, draw), { picture: "plus" }),
          ),
      ];
    });
  draw();
  return h("section.card", null, at);
}
