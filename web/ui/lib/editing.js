// Pages that list small things and change them in dialogs: contacts, groups, rules, users. One way for all of them.
import { h, put } from "./dom.js";
import { get, part, patch, post, remove } from "./api.js";
import { offers } from "./access.js";
import { confirmed, menuButton, openDialog, toast } from "./dialog.js";
import { button, doing, empty, loaded, smallTable } from "./parts.js";
import { form } from "./form.js";

// { path: "/v1/users", one: "user", many: "Users", columns, fields(thing), body(data, thing), name(thing), none: [title, text],
//   gone: text, extra(thing, draw) => menu items, fixed(thing): it is not changed here, after(reply of a change), query }
export function editor(options, signal) {
  const {
    path,
    one,
    many,
    columns,
    fields,
    body,
    name = (thing) => thing.name,
    none,
    gone,
    extra,
    fixed = () => false,
    after,
    query = {},
  } = options;
  const at = h("div"),
    mayAdd = offers(`POST ${path}`),
    mayChange = offers(`PATCH ${path}/{}`) || offers(`PUT ${path}/{}`),
    mayDrop = offers(`DELETE ${path}/{}`);
  let rows = [],
    next = null;

  const edit = (thing) =>
    openDialog(thing ? `Change ${name(thing)}` : `New ${one}`, (close) =>
      form(
        {
          action: thing ? "Save" : "Add",
          cancel: () => close(),
          submit: async (data, element) => {
            const wanted = body(data, thing, element);
            const reply = thing ? await patch(`${path}/${part(thing.id)}`, wanted) : await post(path, wanted);
            close();
            toast(thing ? "Saved" : "Added");
            draw();
            if (after) await after(reply);
          },
        },
        fields(thing || null),
      ),
    );

  async function drop(thing) {
    if (!(await confirmed(`Remove ${name(thing)}?`, gone, "Remove it"))) return;
    await remove(`${path}/${part(thing.id)}`);
    toast("Removed");
    draw();
  }

  const actions = (thing) => [
    ...(extra ? extra(thing, draw) : []),
    mayChange && !fixed(thing) && { label: "Change", icon: "cover", act: () => edit(thing) },
    mayDrop && !fixed(thing) && { label: "Remove", icon: "trash", danger: true, act: doing(() => drop(thing)) },
  ];
  const add = () => edit(null);
  const shown = () => [
    smallTable(
      many,
      [
        ...columns,
        (mayChange || mayDrop || extra) && [
          "",
          (thing) => !fixed(thing) && menuButton(`Actions for ${name(thing)}`, () => actions(thing)),
          "act",
        ],
      ].filter(Boolean),
      rows,
    ),
    next &&
      h(
        "div.actions",
        null,
        button(
          "Show more",
          doing(async () => {
            await page(next);
            put(at, shown());
          }),
        ),
      ),
  ];
  async function page(cursor) {
    const found = await get(path, { limit: 200, ...(typeof query === "function" ? query() : query), cursor }, signal);
    rows = cursor ? [...rows, ...found.data] : found.data;
    next = found.has_more ? found.next_cursor : null;
  }
  const draw = () =>
    loaded(at, async () => {
      await page(null);
      return rows.length
        ? shown()
        : empty(none[0], none[1], mayAdd && button(`Add a ${one}`, add, { kind: "primary", picture: "plus" }));
    });
  return {
    element: at,
    draw,
    add,
    mayAdd,
    adder: mayAdd && button(`Add a ${one}`, add, { kind: "primary", picture: "plus" }),
    rows: () => rows,
  };
}

// Only what was filled in, or was there before and is now empty.
export function bodyOf(data, before, names) {
  const wanted = {};
  for (const name of names) {
    const value = data[name];
    if (value !== "" && value !== undefined) wanted[name] = value;
    else if (before && before[name]) wanted[name] = null;
  }
  return wanted;
}
