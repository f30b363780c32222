// Cover pages, and identities as which faxes are sent.
import { put } from "../lib/dom.js";
import { offers } from "../lib/access.js";
import { heading } from "../lib/parts.js";
import { coverPages } from "../lib/covers_view.js";
import { identities } from "../lib/identities_view.js";

export async function show(view, { signal }) {
  const both = offers("GET /v1/identities");
  put(view, heading(both ? "Covers and identities" : "Cover pages"), coverPages(signal), both && identities(signal));
}
