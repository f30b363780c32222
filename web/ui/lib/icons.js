// Pictures of one line, drawn in the colour of their text. They say nothing that a word beside them does not.
import { s } from "./dom.js";

const shapes = {
  send: "M4 12l16-8-6 16-3-7zM11 13l9-9",
  queue: "M4 6h16M4 12h16M4 18h10",
  sent: "M3 13l5 5L21 5",
  inbox: "M4 13l3-8h10l3 8v6H4zM4 13h5l1 3h4l1-3h5",
  home: "M4 11l8-7 8 7v9h-6v-6h-4v6H4z",
  line: "M5 4h4l2 5-3 2c1 3 3 5 6 6l2-3 5 2v4c-9 1-17-7-16-16z",
  hook: "M12 4v9a4 4 0 1 1-4-4M12 4l-3 3M12 4l3 3",
  code: "M9 7l-5 5 5 5M15 7l5 5-5 5",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2 20c0-4 3-6 7-6s7 2 7 6M16 4a3.5 3.5 0 0 1 0 7M18 14c3 .6 4 3 4 6",
  cover: "M6 3h9l4 4v14H6zM9 9h6M9 13h7M9 17h4",
  rules: "M5 5h6M5 12h14M5 19h9M15 3v4M9 10v4M17 17v4",
  chart: "M4 20V4M4 20h16M8 16v-5M12 16V8M16 16v-3",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 3.5-6 8-6s8 2 8 6",
  audit: "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6zM9 12l2 2 4-4",
  system: "M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5",
  check: "M5 13l4 4L19 7",
  cross: "M7 7l10 10M17 7L7 17",
  warn: "M12 4l9 16H3zM12 10v4M12 17h.01",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  pause: "M9 5v14M15 5v14",
  play: "M8 5l11 7-11 7z",
  call: "M12 3v6M8 7l4-4 4 4M5 13c4 8 10 8 14 0",
  off: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM6 6l12 12",
  down: "M12 4v11M7 11l5 5 5-5M5 20h14",
  up: "M12 20V9M7 13l5-5 5 5M5 4h14",
  print: "M7 9V4h10v5M7 17H4v-7h16v7h-3M7 14h10v6H7z",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  more: "M5 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0M11 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0M17 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M19 5l-1.5 1.5M6.5 17.5L5 19",
  moon: "M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10z",
  tag: "M4 4h8l8 8-8 8-8-8zM8 8h.01",
  repeat: "M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5",
  forward: "M13 6l6 6-6 6M19 12H5",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  key: "M14 10a4 4 0 1 0-4 4l1-1 2 2 2-2-2-2zM15 13l5 5v2h-3l-4-4",
  dot: "M12 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
};

export function icon(name) {
  return s(
    "svg",
    { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" },
    s("path", { d: shapes[name] || shapes.dot }),
  );
}
