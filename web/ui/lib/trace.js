// What two fax machines said to each other: the phases of the call in a bar, the frames as a ladder, and all of it as text.
import { h, s } from "./dom.js";
import { get, part } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, copy } from "./parts.js";
import { seconds } from "./format.js";

// What each frame says (T.30); the long ones first so that prefixes do not hide them.
const says = {
  CED: "I am a fax machine",
  CNG: "I am calling with a fax",
  NSF: "features of the maker",
  CSI: "my number (called)",
  DIS: "what I can do",
  DTC: "what I want to be sent",
  TSI: "my number (calling)",
  DCS: "this is how I will send",
  TCF: "training",
  CFR: "training was good",
  FTT: "training was bad",
  EOM: "page ends, settings change",
  MPS: "page ends, more follow",
  EOP: "page ends, that was the last",
  "PPS-MPS": "part ends, more follow",
  "PPS-EOP": "part ends, that was the last",
  "PPS-NULL": "part of a page ends",
  "PPS-EOM": "part ends, settings change",
  MCF: "received",
  RTP: "received, train again",
  RTN: "received badly",
  PPR: "these parts again, please",
  CTC: "continue to correct",
  CTR: "go on correcting",
  RNR: "not ready yet",
  RR: "are you ready?",
  EOR: "no more corrections",
  ERR: "so be it",
  DCN: "goodbye",
  CRP: "say that again",
  SUB: "subaddress",
  PWD: "password",
  SEP: "selective polling",
  PIN: "interrupted",
  PIP: "interrupted",
  CIG: "my number (polling)",
  NSS: "maker's settings",
  NSC: "maker's wishes",
};

const base = (name) => String(name).replace(/\s.*/, "").replace(/_/g, "-").toUpperCase();
const meaning = (name) => says[base(name)] || says[base(name).split("-")[0]] || "";

const POST_MESSAGE = /^(MPS|EOP|EOM|PPS|MCF|RTP|RTN|PPR|CTC|CTR|RNR|RR|EOR|ERR|PIN|PIP)/;

// B until training is confirmed, C between a confirmation and the end of the page, D around that, E from DCN.
function phaseOf(name, before) {
  const word = base(name);
  if (word === "DCN") return "E";
  if (POST_MESSAGE.test(word)) return "D";
  if (before === "E") return "E";
  return "B";
}

function rowsOf(frames) {
  const rows = [];
  let phase = "A";
  frames.forEach((frame, at) => {
    const next = phaseOf(frame.name, phase),
      previous = frames[at - 1];
    const page =
      previous &&
      POST_MESSAGE.test(base(frame.name)) &&
      /^(CFR|MCF|CTR|RTP|PPR|ERR)/.test(base(previous.name)) &&
      !/^(MCF|CFR|RR|RNR)/.test(base(frame.name));
    if (page) rows.push({ page: true, phase: "C", from: previous.at_ms, to: frame.at_ms, dir: frame.dir });
    rows.push({ frame, phase: next });
    phase = next;
  });
  return rows;
}

const names = { A: "Call set-up", B: "Agreeing", C: "Page", D: "Confirming", E: "Goodbye" };

// One part for each stretch of a phase, as wide as it lasted.
function phaseBar(rows, end) {
  const parts = [];
  const put = (phase, from, to) => {
    const last = parts[parts.length - 1];
    if (last && last.phase === phase) last.to = to;
    else parts.push({ phase, from, to });
  };
  let at = 0;
  for (const row of rows) {
    const to = row.page ? row.to : row.frame.at_ms;
    put(parts.length || row.page ? row.phase : "A", at, to);
    if (!row.page && parts[parts.length - 1].phase !== row.phase) put(row.phase, to, to);
    at = to;
  }
  if (end > at && parts.length) parts[parts.length - 1].to = end;
  const bar = h(
    "div.phases",
    {
      role: "img",
      "aria-label": parts.map((one) => `${names[one.phase]} ${seconds((one.to - one.from) / 1000)}`).join(", "),
    },
    parts.map((one) => {
      const piece = h(
        "span",
        { class: "phase-" + one.phase, title: `${names[one.phase]}: ${((one.to - one.from) / 1000).toFixed(1)} s` },
        one.phase,
      );
      piece.style.flexGrow = String(Math.max(0.001, one.to - one.from));
      piece.style.flexBasis = "0";
      return piece;
    }),
  );
  return [bar, h("p.hint", null, "A call set-up, B agreeing, C pages, D confirming, E goodbye; as wide as they took.")];
}

// Where things stand; on a phone without the words at the side, which are in the text below.
const WIDE = { width: 640, we: 150, they: 410, time: 96, note: 430 };
const NARROW = { width: 340, we: 96, they: 316, time: 84, note: null };

function arrow(at, y, out, text, time, note) {
  const from = out ? at.we : at.they,
    to = out ? at.they : at.we,
    tip = out ? to - 8 : to + 8;
  return s(
    "g",
    null,
    s("title", null, `${out ? "sent" : "received"} ${text}${note ? ": " + note : ""}`),
    s("line", { x1: from, x2: tip, y1: y, y2: y, class: out ? "ladder-arrow" : "ladder-arrow in" }),
    s("path", { d: `M${to} ${y}L${tip} ${y - 4}V${y + 4}z`, class: out ? "ladder-head" : "ladder-head in" }),
    s("text", { x: (at.we + at.they) / 2, y: y - 5, "text-anchor": "middle" }, text),
    s("text", { x: at.time, y: y + 4, class: "soft", "text-anchor": "end" }, time),
    at.note && s("text", { x: at.note, y: y + 4, class: "soft" }, note),
  );
}

function ladder(rows) {
  const at = innerWidth < 700 ? NARROW : WIDE,
    middle = (at.we + at.they) / 2;
  const step = 30,
    top = 34,
    heights = rows.map((row) => (row.page ? 34 : step)),
    height = top + heights.reduce((sum, one) => sum + one, 0) + 10;
  const picture = s("svg", {
    viewBox: `0 0 ${at.width} ${height}`,
    class: "ladder",
    role: "img",
    "aria-label": "Frames in order, ours from the left, theirs from the right; the same follows as text",
  });
  let y = top,
    nth = 0,
    phase = "";
  const drawn = [];
  rows.forEach((row, place) => {
    const tall = heights[place];
    if (row.phase !== phase) {
      phase = row.phase;
      nth++;
      drawn.push(s("text", { x: 6, y: y + 19, class: "soft" }, phase));
    }
    picture.append(
      s("rect", { x: 0, y, width: at.width, height: tall, class: nth % 2 ? "ladder-band odd" : "ladder-band" }),
    );
    if (row.page)
      drawn.push(
        s(
          "g",
          null,
          s("rect", { x: middle - 90, y: y + 5, width: 180, height: tall - 10, rx: 4, class: "ladder-page" }),
          s(
            "text",
            { x: middle, y: y + 21, "text-anchor": "middle" },
            `page data, ${((row.to - row.from) / 1000).toFixed(1)} s`,
          ),
        ),
      );
    else
      drawn.push(
        arrow(
          at,
          y + 20,
          row.frame.dir === "sent",
          row.frame.name,
          `${(row.frame.at_ms / 1000).toFixed(2)} s`,
          meaning(row.frame.name),
        ),
      );
    y += tall;
  });
  const life = (x) => s("line", { x1: x, x2: x, y1: 28, y2: height - 6, class: "ladder-life" });
  picture.append(
    s("text", { x: at.we, y: 20, "text-anchor": "middle" }, "We"),
    s("text", { x: at.they, y: 20, "text-anchor": "middle" }, "They"),
    life(at.we),
    life(at.they),
    ...drawn,
  );
  return picture;
}

const line = (one, text) =>
  `${String((one.at_ms / 1000).toFixed(3)).padStart(9)} ${one.dir === "sent" ? "->" : "<-"} ${text}`;

function asText(trace) {
  const parts = [];
  if (trace.t30_text) parts.push(`Result: ${trace.t30_text}`);
  if (trace.frames.length)
    parts.push("T.30", ...trace.frames.map((one) => line(one, `${one.name.padEnd(10)} ${one.hex || ""}`)));
  if (trace.frames_omitted) parts.push(`(${trace.frames_omitted} frames left out)`);
  if (trace.sip.length) parts.push("", "SIP", ...trace.sip.map((one) => line(one, one.text)));
  if (trace.modem_dialogue && trace.modem_dialogue.length)
    parts.push("", "Modem", ...trace.modem_dialogue.map((one) => line(one, one.text)));
  return parts.join("\n");
}

export async function openTrace(fax, attempt) {
  const trace = await get(`/v1/faxes/${part(fax.id)}/attempts/${attempt.number}/trace`);
  const rows = rowsOf(trace.frames),
    text = asText(trace);
  const end = trace.frames.length ? trace.frames[trace.frames.length - 1].at_ms : 0;
  return openDialog(
    `Call ${attempt.number}: what was said`,
    () => [
      rows.length > 0
        ? [phaseBar(rows, end), ladder(rows)]
        : h("p.hint", null, "No frames of T.30 are on record for this call."),
      h(
        "details",
        { open: rows.length === 0 },
        h("summary", null, "As text"),
        h("pre", { tabindex: "0", "aria-label": "Trace" }, text || "Nothing."),
        h(
          "div.actions",
          null,
          button("Copy", () => copy(text, "The trace is")),
        ),
      ),
    ],
    { wide: true },
  );
}
