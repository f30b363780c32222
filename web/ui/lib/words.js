// What the words of the API mean to people: statuses, reasons, next tries.
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { capital, timeText, words } from "./format.js";

// tone, picture, label
const statuses = {
  preparing: ["work", "clock", "Preparing"],
  held: ["wait", "pause", "On hold"],
  scheduled: ["wait", "clock", "Scheduled"],
  queued: ["wait", "queue", "Waiting for a line"],
  dialing: ["work", "line", "Dialing"],
  negotiating: ["work", "line", "Agreeing"],
  sending: ["work", "up", "Sending"],
  canceling: ["work", "cross", "Canceling"],
  delivered: ["good", "check", "Delivered"],
  partially_delivered: ["warn", "warn", "Partly delivered"],
  unconfirmed: ["warn", "warn", "Not confirmed"],
  failed: ["bad", "cross", "Failed"],
  canceled: ["off", "off", "Canceled"],
  expired: ["bad", "clock", "Expired"],
  ringing: ["work", "line", "Ringing"],
  receiving: ["work", "down", "Receiving"],
  received: ["good", "check", "Received"],
  partially_received: ["warn", "warn", "Partly received"],
  rejected: ["off", "off", "Rejected"],
  routing: ["work", "clock", "Being passed on"],
  routed: ["good", "check", "Passed on"],
  route_failed: ["warn", "warn", "Not passed on"],
};

export const ACTIVE = ["preparing", "held", "scheduled", "queued", "dialing", "negotiating", "sending", "canceling"];
export const ENDED = ["delivered", "partially_delivered", "unconfirmed", "failed", "canceled", "expired"];
export const IN_CALL = ["dialing", "negotiating", "sending", "canceling", "ringing", "receiving"];
export const WAITING = ["held", "scheduled", "queued"];

export function badge(tone, picture, label) {
  return h("span.badge", { class: "tone-" + tone }, icon(picture), label);
}

export function statusBadge(status) {
  const [tone, picture, label] = statuses[status] || ["off", "dot", capital(words(status))];
  return badge(tone, picture, label);
}

export const statusLabel = (status) => (statuses[status] || [0, 0, capital(words(status))])[2];

const calls = (fax) =>
  fax.max_attempts > 1 && fax.attempts > 0 ? `, call ${fax.attempts + 1} of ${fax.max_attempts}` : "";

// Why it is as it is, and what comes next, in a sentence or two.
export function reasonText(fax) {
  const error = fax.error ? fax.error.message || words(fax.error.code) : "";
  const upper = (text) => (text ? capital(text.replace(/\.$/, "")) : "");
  switch (fax.status) {
    case "preparing": {
      const made = fax.preparation;
      return made && made.of
        ? `Making page ${Math.min(made.pages + 1, made.of)} of ${made.of}`
        : "Its pages are being made";
    }
    case "held":
      return fax.reason && fax.reason !== "held_by_user"
        ? `Kept back: ${words(fax.reason)}`
        : "Kept back until it is released";
    case "scheduled": {
      const next = fax.next_attempt_at || fax.not_before;
      if (error && fax.attempts > 0)
        return `${upper(error)}. Next try ${next ? "at " + timeText(next) : "soon"}${calls(fax)}`;
      return next ? `To be sent at ${timeText(next)}` : "To be sent later";
    }
    case "queued":
      return error && fax.attempts > 0
        ? `${upper(error)}. Next try with the next free line${calls(fax)}`
        : "Next in line as soon as a line is free";
    case "dialing":
      return fax.attempts > 0 ? `Calling${calls(fax)}` : "Calling the number";
    case "negotiating":
      return "The machines agree on how to talk";
    case "sending":
      return `Page ${Math.min((fax.pages.confirmed || 0) + 1, fax.pages.total || 1)} of ${fax.pages.total ?? "?"} is on its way`;
    case "canceling":
      return "The call is being ended";
    case "delivered":
      return fax.calls > 1 ? `All pages confirmed, after ${fax.calls} calls` : "All pages confirmed";
    case "partially_delivered":
      return `${fax.pages.confirmed} of ${fax.pages.total} pages arrived. ${upper(error)}`;
    case "unconfirmed":
      return "All pages were sent, but the last confirmation was lost: ask the receiver before you send again";
    case "canceled":
      return fax.reason && fax.reason !== "canceled" ? upper(fax.reason) : "Canceled on request";
    case "receiving":
      return "Pages are coming in";
    case "ringing":
      return "A call is being answered";
    case "received":
      return "All pages received";
    case "routing":
      return "All pages received; it is being passed on";
    case "routed":
      return "All pages received, and passed on";
    case "route_failed":
      return "All pages received, but it could not be passed on";
    case "partially_received":
      return error ? `${upper(error)}. The pages that came are kept` : "The pages that came are kept";
    default:
      return upper(error || words(fax.reason));
  }
}

export const hintText = (fax) => (fax.error && fax.error.hint) || "";

const called = (fax) => (fax.to_contact ? `${fax.to_contact.name} (${fax.to})` : fax.to);
export const peerOf = (fax) =>
  (fax.direction === "inbound" ? fax.from || fax.remote_station_id : called(fax)) || "Unknown number";

export function pagesText(fax) {
  const { total, confirmed = 0 } = fax.pages || {};
  if (total === null || total === undefined) return confirmed ? String(confirmed) : "–";
  return fax.direction === "inbound" || confirmed === total ? String(total) : `${confirmed} / ${total}`;
}

// Events of a fax, for its history.
const events = {
  "fax.accepted": "Accepted and stored",
  "fax.prepared": "Pages made",
  "fax.prepare_failed": "Pages could not be made",
  "fax.held": "Put on hold",
  "fax.released": "Released",
  "fax.scheduled": "Scheduled",
  "fax.dialing": "Call begun",
  "fax.connected": "The far end answered",
  "fax.page_sent": "Page confirmed",
  "fax.retry_scheduled": "Another call is planned",
  "fax.delivered": "Delivered",
  "fax.partially_delivered": "Partly delivered",
  "fax.unconfirmed": "Sent, not confirmed",
  "fax.failed": "Failed",
  "fax.canceled": "Canceled",
  "fax.expired": "Expired",
  "fax.header_hidden": "Header line switched off",
  "fax.changed": "Changed",
  "inbound.ringing": "A call came",
  "inbound.receiving": "Answered",
  "inbound.received": "Received",
  "inbound.partially_received": "Partly received",
  "inbound.failed": "Reception failed",
  "inbound.rejected": "Rejected",
  "inbound.routed": "Passed on",
  "inbound.route_failed": "Could not be passed on",
  "inbound.assigned": "Assigned",
  "inbound.junked": "Marked as junk",
  "document.purged": "Documents deleted",
};
export const eventText = (type) => events[type] || capital(words(type.split(".").join(": ")));
