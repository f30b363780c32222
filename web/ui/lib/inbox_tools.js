// What is done with a received fax besides reading it: assign, label, note, mark as junk. Each where the server has it.
import { h } from "./dom.js";
import { get, part, post } from "./api.js";
import { me, offers } from "./access.js";
import { fault, openDialog, toast } from "./dialog.js";
import { button, doing, loaded } from "./parts.js";
import { field, form, listOf } from "./form.js";
import { when } from "./format.js";

const path = (fax, tail) => `/v1/faxes/${part(fax.id)}/${tail}`;

let people = null; // a promise of those whom a fax can be given to, where the reader may see them

const knowsPeople = () => offers("GET /v1/assignees");

async function askPeople() {
  if (!knowsPeople()) return me() ? [me()] : [];
  const found = [];
  for (let cursor = null; ; ) {
    const page = await get("/v1/assignees", { limit: 200, cursor });
    found.push(...page.data);
    if (!page.has_more) break;
    cursor = page.next_cursor;
  }
  return found.sort((a, b) => a.display_name.localeCompare(b.display_name));
}

function peopleList() {
  people = askPeople();
  return people;
}

// Names of users come after their ids; the text is put right when they are here.
export function nameOf(user) {
  if (!user || typeof user === "object") return user ? user.display_name || user.name || user.id : "";
  if (me() && me().id === user) return me().display_name || me().name;
  const at = h("span", { title: user }, knowsPeople() ? "…" : "somebody else");
  if (knowsPeople()) {
    people ??= askPeople();
    people.then(
      (list) => {
        const one = list.find((other) => other.id === user);
        at.textContent = one ? one.display_name : "somebody who is gone";
      },
      () => {
        people = null;
        at.textContent = user;
      },
    );
  }
  return at;
}

export async function assign(fax, changed) {
  const list = await peopleList();
  const now = fax.assigned && (fax.assigned.id || fax.assigned);
  await openDialog("Who takes care of it?", (close) =>
    form(
      {
        action: "Assign",
        submit: async (data) => {
          changed(await post(path(fax, "assign"), { user: data.user || null }));
          close();
        },
      },
      field("Assigned to", {
        name: "user",
        options: [["", "Nobody"], ...list.map((one) => [one.id, nameOf(one)])],
        value: now || "",
      }),
    ),
  );
}

export const label = (fax, changed) =>
  openDialog("Labels", (close) =>
    form(
      {
        action: "Save",
        submit: async (data) => {
          changed(await post(path(fax, "labels"), { labels: listOf(data.labels) }));
          close();
        },
      },
      field("Labels", { name: "labels", value: (fax.labels || []).join(", "), hint: "With commas between them." }),
    ),
  );

export async function markRead(fax, read, changed) {
  changed(await post(path(fax, "read"), { read }));
}

export async function markJunk(fax, junk, changed) {
  changed(await post(path(fax, "junk"), { junk }));
  toast(junk ? "Marked as junk: it is put aside and not passed on" : "Back in the inbox, where the rules see it", {
    action: "Undo",
    onaction: () => markJunk(fax, !junk, changed).catch(fault),
  });
}

function notesDialog(fax) {
  const list = h("div");
  const look = () =>
    loaded(list, async () => {
      const { data } = await get(path(fax, "notes"));
      return data.length
        ? h(
            "ol.timeline",
            null,
            data.map((note) =>
              h(
                "li",
                null,
                h(
                  "div.row",
                  null,
                  h("strong", null, note.author || nameOf(note.user) || "An API key"),
                  when(note.created_at || note.at),
                ),
                h("p", null, note.text),
              ),
            ),
          )
        : h("p.hint", null, "No notes yet.");
    });
  return openDialog("Notes", () => {
    look();
    return [
      list,
      form(
        {
          action: "Add the note",
          submit: async (data, element) => {
            await post(path(fax, "notes"), { text: data.text });
            element.reset();
            await look();
          },
        },
        field("Note", {
          name: "text",
          type: "textarea",
          required: true,
          hint: "Seen by everybody who may see this fax.",
        }),
      ),
    ];
  });
}

export function inboxTools(fax, changed) {
  const who = fax.assigned;
  const tools = [
    offers("POST /v1/faxes/{}/assign") &&
      button(
        who ? h("span", null, "Assigned to ", nameOf(who)) : "Assign",
        doing(() => assign(fax, changed)),
        { picture: "user" },
      ),
    offers("POST /v1/faxes/{}/labels") &&
      button(
        "Labels",
        doing(() => label(fax, changed)),
        { picture: "tag" },
      ),
    offers("POST /v1/faxes/{}/notes") &&
      button(
        "Notes",
        doing(() => notesDialog(fax)),
        { picture: "file" },
      ),
    offers("POST /v1/faxes/{}/read") &&
      button(
        fax.unread ? "Mark as read" : "Mark as unread",
        doing(() => markRead(fax, Boolean(fax.unread), changed)),
        { picture: "inbox" },
      ),
    offers("POST /v1/faxes/{}/junk") &&
      button(
        fax.junk ? "Not junk" : "Junk",
        doing(() => markJunk(fax, !fax.junk, changed)),
        { picture: "off" },
      ),
  ].filter(Boolean);
  const labels = fax.labels || [];
  const aside =
    fax.junk &&
    h(
      "div.note.tone-warn",
      null,
      h("p", null, "This fax is put aside as junk. It is not passed on until somebody says that it is none."),
    );
  return [
    aside,
    tools.length > 0 &&
      h(
        "div.fax-status",
        null,
        tools,
        labels.length > 0 &&
          h(
            "span.chips",
            null,
            labels.map((one) => h("span.chip", null, one)),
          ),
      ),
  ];
}
