// The server's figures (/metrics, the text format of Prometheus) as a list: name, labels, value.
import { ask } from "./api.js";

export async function metrics(signal) {
  const text = await (await ask("GET", "/metrics", { signal })).text();
  const list = [];
  for (const line of text.split("\n")) {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!found) continue;
    const labels = {};
    for (const [, name, value] of (found[2] || "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[name] = value;
    list.push({ name: found[1], labels, value: Number(found[3]) });
  }
  return {
    value: (name) => list.find((one) => one.name === name)?.value,
    sum: (name, fits = () => true) =>
      list.filter((one) => one.name === name && fits(one.labels)).reduce((sum, one) => sum + one.value, 0),
    all: (name) => list.filter((one) => one.name === name),
    names: () => [...new Set(list.map((one) => one.name))],
  };
}
