// Contacts and groups of them.
import { h, put, settled } from "../lib/dom.js";
import { ask, call, getAll } from "../lib/api.js";
import { offers, takes } from "../lib/access.js";
import { button, doing, heading, tabs } from "../lib/parts.js";
import { openDialog, toast } from "../lib/dialog.js";
import { bodyOf, editor } from "../lib/editing.js";
import { check, field, form } from "../lib/form.js";
import { number, plural } from "../lib/format.js";

const groupsOf = (contact) => ((contact && contact.groups) || []).map((group) => group.id || group);

// Those ticked, and those that had no box: somebody made them since the page was opened.
const chosen = (data, before, groups) => [
  ...groupsOf(before).filter((id) => !groups.some((group) => group.id === id)),
  ...(data.groups || []),
];

function contactFields(contact, groups) {
  const one = contact || {},
    mine = groupsOf(one);
  const boxes = h(
    "fieldset.checks",
    null,
    h("legend", null, "Groups"),
    groups.map((group) => {
      const box = check(group.name, {
        name: "groups",
        value: group.id,
        checked: mine.includes(group.id),
        "data-list": true,
      });
      delete box.dataset.pointer;
      return box;
    }),
    h("p.fault", { hidden: true }),
  );
  boxes.dataset.pointer = "/groups";
  return [
    field("Name", { name: "name", value: one.name, required: true, maxlength: 200 }),
    field("Organization", { name: "organization", value: one.organization, maxlength: 200 }),
    h(
      "div.pair",
      null,
      field("Fax number", { name: "number", type: "tel", value: one.number, required: true }),
      field("Email", { name: "email", type: "email", value: one.email }),
    ),
    field("Notes", { name: "notes", type: "textarea", value: one.notes }),
    groups.length > 0 && boxes,
  ];
}

async function save() {
  const reply = await ask("GET", "/v1/contacts", { headers: { Accept: "text/csv" } });
  const anchor = h("a", { href: URL.createObjectURL(await reply.blob()), download: "contacts.csv" });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}

const bring = (done) =>
  openDialog("Bring contacts in", (close) => {
    const input = h("input", { type: "file", name: "file", accept: ".csv,text/csv", required: true });
    return form(
      {
        action: "Bring in",
        cancel: () => close(),
        submit: async () => {
          const result = await call("POST", "/v1/contacts/import", {
            text: input.files[0], // as it is: what is not UTF-8 is refused, not damaged
            headers: { "Content-Type": "text/csv" },
          });
          close();
          toast(
            `${plural(result.created, "contact")} new, ${result.updated} changed${result.groups_created ? `, ${plural(result.groups_created, "group")} new` : ""}`,
          );
          done();
        },
      },
      field("A CSV file", {
        name: "file",
        control: input,
        hint: "The first line names the columns: name and number are needed; organization, email, notes and groups (with semicolons between) may be there. Who is here already is changed.",
      }),
    );
  });

export async function show(view, { query, signal }) {
  const inGroups = query.get("view") === "groups" && offers("GET /v1/groups");
  const groups = offers("GET /v1/groups") ? await getAll("/v1/groups", {}, signal) : [];
  const nameOf = (id) => (groups.find((group) => group.id === (id.id || id)) || {}).name || id;
  const search = h("input.grow", {
    type: "search",
    placeholder: "Name, organization, number",
    "aria-label": "Search contacts",
  });
  const list = inGroups
    ? editor(
        {
          path: "/v1/groups",
          one: "group",
          many: "Groups",
          none: ["No groups.", "A group puts contacts together: all practices, all branches."],
          gone: "Its contacts stay.",
          columns: [
            ["Name", (one) => one.name],
            ["Contacts", (one) => number(one.members), "num"],
          ],
          fields: (one) => field("Name", { name: "name", value: one && one.name, required: true, maxlength: 200 }),
          body: (data) => ({ name: data.name }),
        },
        signal,
      )
    : editor(
        {
          path: "/v1/contacts",
          one: "contact",
          many: "Contacts",
          none: ["No contacts.", "A contact is offered by its name when you type a number to send to."],
          gone: "Faxes to it stay as they are.",
          query: () => (takes("GET /v1/contacts", "q") ? { q: search.value.trim() } : {}),
          columns: [
            ["Name", (one) => one.name],
            ["Organization", (one) => one.organization || "–"],
            ["Number", (one) => one.number],
            [
              "Groups",
              (one) =>
                one.groups && one.groups.length
                  ? h(
                      "span.chips",
                      null,
                      one.groups.map((id) => h("span.chip", null, nameOf(id))),
                    )
                  : "–",
            ],
            ["Email", (one) => one.email || "–"],
          ],
          fields: (one) => contactFields(one, groups),
          body: (data, before) => ({
            ...bodyOf(data, before, ["name", "organization", "number", "email", "notes"]),
            ...(groups.length ? { groups: chosen(data, before, groups) } : {}),
          }),
          extra: (one) => [
            offers("POST /v1/faxes") && {
              label: "Send a fax",
              icon: "send",
              act: () => {
                location.hash = `/send?contact=${encodeURIComponent(one.id)}`;
              },
            },
          ],
        },
        signal,
      );
  search.addEventListener(
    "input",
    settled(() => list.draw(), 300),
  );
  const tools = [
    !inGroups &&
      offers("POST /v1/contacts/import") &&
      button("Bring in", () => bring(() => list.draw()), { picture: "up" }),
    !inGroups && button("Save as CSV", doing(save), { picture: "down" }),
  ];
  put(
    view,
    heading("Contacts", tools, list.adder),
    offers("GET /v1/groups") &&
      tabs(
        "Views",
        [
          ["#/contacts", "Contacts", "contacts"],
          ["#/contacts?view=groups", "Groups", "groups"],
        ],
        inGroups ? "groups" : "contacts",
      ),
    !inGroups &&
      takes("GET /v1/contacts", "q") &&
      h("form.filters", { role: "search", onsubmit: (event) => event.preventDefault() }, search),
    h("section.card", null, list.element),
  );
  await list.draw();
}
