// What can be done with a fax, where the server offers it and the fax's state allows it. Each action is a verb of the API;
// what cannot be undone asks first, what can is undone from the note that tells of it.
import { get, part, patch, post, remove, verb } from "./api.js";
import { offers } from "./access.js";
import { confirmed, fault, openDialog, toast } from "./dialog.js";
import { form, field } from "./form.js";
import { doing, showSecret } from "./parts.js";
import { download } from "./picture.js";
import { fromLocal, plural, toLocal, when } from "./format.js";
import { ENDED, IN_CALL, peerOf } from "./words.js";

const path = (fax, tail = "") => `/v1/faxes/${part(fax.id)}${tail}`;
const may = (name) => offers(name);
const done = (changed, fax) => {
  if (fax && fax.id) changed(fax);
};

async function hold(fax, changed) {
  done(changed, await verb(path(fax, "/hold")));
  toast(`The fax to ${peerOf(fax)} is on hold`, { action: "Undo", onaction: () => release(fax, changed).catch(fault) });
}

async function release(fax, changed) {
  done(changed, await verb(path(fax, "/release")));
  toast(`The fax to ${peerOf(fax)} is released`);
}

async function cancel(fax, changed) {
  const inCall = IN_CALL.includes(fax.status);
  const text = inCall
    ? "Its call is under way and will be ended. Pages that arrived already cannot be taken back."
    : "It will not be sent.";
  if (!(await confirmed(`Cancel the fax to ${peerOf(fax)}?`, text, "Cancel the fax", { keep: "Let it go on" }))) return;
  done(changed, await verb(path(fax, "/cancel")));
  toast("Canceled");
}

async function retry(fax, changed) {
  // An earlier call may have sent them all, however the last one ended.
  const unsure = fax.status === "unconfirmed" || fax.delivery === "unconfirmed";
  if (
    unsure &&
    !(await confirmed(
      "Send pages that may have arrived?",
      "All pages were sent, only the last confirmation was lost. The receiver may get them twice.",
      "Send them again",
      { danger: false, keep: "Leave it" },
    ))
  )
    return;
  done(changed, await post(path(fax, "/retry"), unsure ? { confirm: true } : {}));
  toast("It is tried again with the pages that are left");
}

const resend = (fax) =>
  openDialog("Send once more", (close) =>
    form(
      {
        action: "Send",
        picture: "send",
        submit: async (data) => {
          const fresh = await post(path(fax, "/resend"), data.to && data.to !== fax.to ? { to: data.to } : {});
          close();
          location.hash = "/faxes/" + fresh.id;
        },
      },
      field("To", {
        name: "to",
        value: fax.to,
        type: "tel",
        required: true,
        hint: "A new fax with the same pages; the old one stays as it is.",
      }),
    ),
  );

const forward = (fax) =>
  openDialog("Forward", (close) =>
    form(
      {
        action: "Forward",
        picture: "send",
        submit: async (data) => {
          const fresh = await post(path(fax, "/forward"), data.note ? data : { to: data.to });
          close();
          location.hash = "/faxes/" + fresh.id;
        },
      },
      field("To", { name: "to", type: "tel", required: true, autocomplete: "off" }),
      field("Note", { name: "note", type: "textarea", hint: "On a cover page before the others. May be left empty." }),
    ),
  );

const reschedule = (fax, changed) =>
  openDialog("Change when and how", (close) =>
    form(
      {
        action: "Save",
        submit: async (data) => {
          const wanted = { priority: data.priority };
          if (data.not_before !== toLocal(fax.not_before)) wanted.not_before = fromLocal(data.not_before) ?? null;
          done(changed, await patch(path(fax), wanted));
          close();
          toast("Changed");
        },
      },
      field("Priority", {
        name: "priority",
        options: ["urgent", "high", "normal", "bulk"].map((one) => [one, one]),
        value: fax.priority,
      }),
      field("Not before", { name: "not_before", type: "datetime-local", value: toLocal(fax.not_before) }),
    ),
  );

async function purge(fax, changed) {
  if (
    !(await confirmed(
      "Delete its pages for good?",
      `The record of this fax stays, its ${plural(fax.pages.total || 0, "page")} cannot be brought back.`,
      "Delete the pages",
    ))
  )
    return;
  done(changed, await remove(path(fax)));
  toast("Its pages are deleted");
}

const share = (fax) =>
  openDialog("A link for somebody without a key", (close) =>
    form(
      {
        action: "Make the link",
        submit: async (data) => {
          const made = await post(path(fax, "/links"), { format: "pdf", expires_s: Number(data.expires_s) });
          close();
          await showSecret(
            "The link",
            ["Whoever has it can open the pages until ", when(made.expires_at), "."],
            new URL(made.url, location.origin).href,
          );
        },
      },
      field("It works for", {
        name: "expires_s",
        options: [
          ["600", "10 minutes"],
          ["3600", "an hour"],
          ["86400", "a day"],
        ],
        value: "3600",
      }),
    ),
  );

export async function save(fax, format = "pdf") {
  await download(path(fax, `/document?format=${format}`), `${fax.id}.${format === "tiff" ? "tif" : "pdf"}`);
}

// All that fits this fax, the most likely first: {label, icon, act, danger, main}.
export function actionsOf(fax, changed) {
  const out = fax.direction === "outbound",
    ended = !out || ENDED.includes(fax.status),
    pages = Boolean(fax.links && fax.links.document);
  const list = [
    out &&
      fax.status === "held" &&
      may("POST /v1/faxes/{}/release") && { label: "Release", icon: "play", main: true, run: release },
    out &&
      ["queued", "scheduled"].includes(fax.status) &&
      may("POST /v1/faxes/{}/hold") && { label: "Hold", icon: "pause", main: true, run: hold },
    out &&
      ["failed", "expired", "canceled", "unconfirmed", "partially_delivered"].includes(fax.status) &&
      may("POST /v1/faxes/{}/retry") && { label: "Try again", icon: "repeat", main: true, run: retry },
    out &&
      ["held", "queued", "scheduled"].includes(fax.status) &&
      may("PATCH /v1/faxes/{}") && { label: "Priority and time", icon: "clock", run: reschedule },
    pages &&
      may("GET /v1/faxes/{}/document") && { label: "Save PDF", icon: "down", main: !out, run: (one) => save(one) },
    pages && may("GET /v1/faxes/{}/document") && { label: "Save TIFF", icon: "down", run: (one) => save(one, "tiff") },
    pages && may("POST /v1/faxes/{}/links") && { label: "Share a link", icon: "key", run: share },
    ended &&
      out &&
      may("GET /v1/faxes/{}/receipt") && {
        label: "Receipt",
        icon: "file",
        run: (one) => download(path(one, "/receipt"), `${one.id}-receipt.pdf`),
      },
    ended && out && pages && may("POST /v1/faxes/{}/resend") && { label: "Send once more", icon: "send", run: resend },
    ended && pages && may("POST /v1/faxes/{}/forward") && { label: "Forward", icon: "forward", run: forward },
    ended && pages && may("DELETE /v1/faxes/{}") && { label: "Delete pages", icon: "trash", danger: true, run: purge },
    out &&
      !ended &&
      fax.status !== "canceling" &&
      may("POST /v1/faxes/{}/cancel") && { label: "Cancel", icon: "cross", danger: true, main: true, run: cancel },
  ].filter(Boolean);
  for (const one of list) one.act = doing(() => one.run(fax, changed));
  return list;
}

export const refreshed = (id, signal) => get(`/v1/faxes/${part(id)}`, null, signal);
