// An address that leads nowhere, or to what this server or this user does not have.
import { put } from "../lib/dom.js";
import { empty, heading, link } from "../lib/parts.js";

export function show(view, { path, home }) {
  put(
    view,
    heading("Not here"),
    empty(
      "There is no such page, or it is not for you.",
      `Looked for ${path}.`,
      home && link("#" + home.path, home.label, home.icon),
    ),
  );
}
