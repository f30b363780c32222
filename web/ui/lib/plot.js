// Small plots in SVG, each with its figures as a table for those who do not see it. Colours are classes of the style sheet.
import { freshId, h, s } from "./dom.js";
import { number } from "./format.js";

const LEFT = 44,
  BOTTOM = 24,
  TOP = 8;

// As wide as there is room for, so that the letters keep their size: a picture that is shrunk to a phone cannot be read.
const room = (most) => Math.max(280, Math.min(most, document.documentElement.clientWidth - 62));

function steps(most) {
  if (most <= 0) return [0, 1];
  const rough = most / 4,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(
    [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough),
    most < 4 ? 1 : 0,
  );
  const list = [];
  for (let at = 0; at < most + step; at += step) list.push(at);
  return list;
}

function frame(title, width, height, top, show) {
  const scale = (value) => TOP + (height - TOP - BOTTOM) * (1 - value / top[top.length - 1]);
  const grid = top.map((value) => [
    s("line", { x1: LEFT, x2: width, y1: scale(value), y2: scale(value), class: "plot-grid" }),
    s("text", { x: LEFT - 6, y: scale(value) + 4, class: "plot-text", "text-anchor": "end" }, show(value)),
  ]);
  return {
    scale,
    picture: s("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": title }, grid),
  };
}

function withTable(title, picture, names, list, series) {
  const id = freshId("figures");
  return h(
    "figure.plot-holder",
    null,
    h(
      "figcaption",
      { id },
      title,
      h(
        "span.legend",
        null,
        series.map((one) => h("span", { class: "key-" + one.kind }, one.label)),
      ),
    ),
    picture,
    h(
      "details",
      null,
      h("summary", null, "Figures"),
      h(
        "div.scroll",
        { tabindex: "0", role: "region", "aria-label": title + ", figures" },
        h(
          "table.figures-table",
          null,
          h("caption.only-heard", null, title),
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              [names, ...series.map((one) => one.label)].map((text) => h("th", { scope: "col" }, text)),
            ),
          ),
          h(
            "tbody",
            null,
            list.map((one) =>
              h(
                "tr",
                null,
                h("th", { scope: "row" }, one.label),
                series.map((line) => h("td", null, number(line.value(one)))),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

// Columns, one on the other. list: things with a label; series: {label, kind: good|bad|work|accent, value(thing)}.
export function columns(title, list, series, { width: most = 640, height = 200, every } = {}) {
  const width = room(most);
  const sums = list.map((one) => series.reduce((sum, line) => sum + (line.value(one) || 0), 0));
  const { scale, picture } = frame(title, width, height, steps(Math.max(0, ...sums)), number);
  const step = (width - LEFT) / Math.max(1, list.length),
    wide = Math.min(48, step * 0.7);
  const skip = Math.max(every || 1, Math.ceil(list.length / (width / 64)));
  list.forEach((one, at) => {
    let sum = 0;
    const x = LEFT + at * step + (step - wide) / 2;
    for (const line of series) {
      const value = line.value(one) || 0;
      if (value > 0)
        picture.append(
          s(
            "rect",
            {
              x,
              width: wide,
              y: scale(sum + value),
              height: scale(sum) - scale(sum + value),
              class: "fill-" + line.kind,
            },
            s("title", null, `${one.label}: ${number(value)} ${line.label}`),
          ),
        );
      sum += value;
    }
    if (at % skip === 0)
      picture.append(
        s(
          "text",
          { x: x + wide / 2, y: height - 6, class: "plot-text", "text-anchor": "middle" },
          one.short || one.label,
        ),
      );
  });
  return withTable(title, picture, "", list, series);
}

// One bar for each thing, as wide as its share; parts as series.
export function bars(title, list, series) {
  const most = Math.max(1, ...list.map((one) => series.reduce((sum, line) => sum + (line.value(one) || 0), 0)));
  const row = 26,
    height = list.length * row + 4,
    width = room(640),
    left = width < 480 ? 110 : 170;
  const picture = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": title });
  list.forEach((one, at) => {
    let x = left;
    const text = String(one.label);
    picture.append(
      s(
        "text",
        { x: left - 8, y: at * row + 17, class: "plot-text", "text-anchor": "end" },
        text.length > left / 7 ? text.slice(0, Math.floor(left / 7) - 1) + "…" : text,
      ),
    );
    for (const line of series) {
      const value = line.value(one) || 0,
        wide = ((width - left - 60) * value) / most;
      if (value > 0)
        picture.append(
          s(
            "rect",
            { x, y: at * row + 4, width: Math.max(1, wide), height: row - 8, class: "fill-" + line.kind },
            s("title", null, `${text}: ${number(value)} ${line.label}`),
          ),
        );
      x += wide;
    }
    picture.append(
      s(
        "text",
        { x: x + 6, y: at * row + 17, class: "plot-text" },
        number(series.reduce((sum, line) => sum + (line.value(one) || 0), 0)),
      ),
    );
  });
  return withTable(title, picture, "", list, series);
}
