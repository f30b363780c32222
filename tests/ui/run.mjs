// SPDX-License-Identifier: GPL-2.0-or-later
// Runs the facts of a file (all, or those named) one after the other and prints TAP: run.mjs fax_facts [FACT...]
import { faults, start, stop } from "./browser.mjs";

const [file, ...only] = process.argv.slice(2);
const { facts } = await import(`./${file}.mjs`);
const chosen = facts.filter((fact) => !only.length || only.includes(fact.name));
console.log(`1..${chosen.length}`);
let failed = 0;
await start();
for (const [at, fact] of chosen.entries()) {
  const name = fact.name.replaceAll("_", " "),
    began = Date.now();
  try {
    await fact();
    const wrong = faults();
    if (wrong.length) throw new Error(`what must not happen did:\n${wrong.join("\n")}`);
    console.log(`ok ${at + 1} - ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${at + 1} - ${name}`);
    for (const line of [String(error.stack || error), ...faults()].join("\n").split("\n")) console.log("# " + line);
  }
  console.log(`# ${Date.now() - began} ms`);
}
await stop();
process.exit(failed ? 1 : 0);
