// Times, numbers and sizes as people read them. Times are the reader's own zone, with UTC in the title.
import { h } from "./dom.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const fullDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const figures = new Intl.NumberFormat();

export const number = (value) => (value === null || value === undefined ? "–" : figures.format(value));
export const plural = (count, one, many = one + "s") => `${figures.format(count)} ${count === 1 ? one : many}`;

export const utc = (date) =>
  date
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC");

export function timeText(iso, seconds = false) {
  const date = new Date(iso),
    now = new Date();
  const time = (seconds ? exact : clock).format(date);
  if (date.toDateString() === now.toDateString()) return time;
  return `${(date.getFullYear() === now.getFullYear() ? day : fullDay).format(date)}, ${time}`;
}

function relative(iso) {
  const ms = new Date(iso) - Date.now();
  const minutes = Math.round(Math.abs(ms) / 60000),
    hours = Math.round(minutes / 60),
    days = Math.round(hours / 24);
  const span = minutes < 1 ? "moments" : minutes < 60 ? `${minutes} min` : hours < 48 ? `${hours} h` : `${days} days`;
  return ms > 0 ? `in ${span}` : `${span} ago`;
}

const fit = (element) => {
  element.textContent = relative(element.dateTime);
};
setInterval(() => document.querySelectorAll("time[data-relative]").forEach(fit), 20000);

// A <time>, absolute ("18:03") by default, or relative ("in 4 min", kept true).
export function when(iso, { ago = false, seconds = false } = {}) {
  if (!iso) return document.createTextNode("–");
  const date = new Date(iso);
  const title = `${date.toLocaleString()} – ${utc(date)}`;
  if (!ago) return h("time", { datetime: iso, title }, timeText(iso, seconds));
  const element = h("time", { datetime: iso, title, "data-relative": true });
  fit(element);
  return element;
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  const total = Math.round(value);
  if (total < 60) return `${total} s`;
  const hours = Math.floor(total / 3600),
    minutes = Math.floor((total % 3600) / 60),
    rest = total % 60;
  return hours ? `${hours} h ${minutes} min` : rest ? `${minutes} min ${rest} s` : `${minutes} min`;
}

export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at++;
  }
  return `${value < 10 && at > 0 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}

export const percent = (share) =>
  share === null || share === undefined ? "–" : `${(share * 100).toFixed(share > 0.9995 || share === 0 ? 0 : 1)} %`;

// A moment of a <input type=datetime-local>, which is in the reader's zone, as the API wants it.
export const fromLocal = (text) => (text ? new Date(text).toISOString().replace(/\.\d+Z$/, "Z") : undefined);

export function toLocal(iso) {
  if (!iso) return "";
  const date = new Date(iso);
  return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

export const words = (code) => String(code ?? "").replaceAll("_", " ");
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
