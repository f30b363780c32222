// SPDX-License-Identifier: GPL-2.0-or-later
// Scrolls a list to its end, as far as UI_ROWS rows, and prints what it cost: the longest task of the page's thread, how
// many were over 100 ms, and how many rows were in the document at once. For tests/bench/bench_pages.py.
import { signedIn, start, stop } from "./browser.mjs";

const rows = Number(process.env.UI_ROWS);
await start();
const page = await signedIn("/queue");
await page.evaluate(() => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({
    type: "longtask",
    buffered: false,
  });
});
const began = Date.now();
let most = 0,
  seen = 0,
  still = 0;
while (seen < rows && still < 300) {
  await page.mouse.wheel(0, 3000);
  await page.waitForTimeout(30);
  const now = await page.evaluate(() => ({
    drawn: document.querySelectorAll("tbody tr[data-key]").length,
    last: Math.max(
      0,
      ...[...document.querySelectorAll("tbody tr[data-key]")].map((tr) => Number(tr.getAttribute("aria-rowindex")) - 1),
    ),
  }));
  most = Math.max(most, now.drawn);
  still = now.last > seen ? 0 : still + 1;
  seen = Math.max(seen, now.last);
}
const tasks = await page.evaluate(() => window.tasks);
console.log(
  JSON.stringify({
    rows: seen,
    seconds: (Date.now() - began) / 1000,
    drawn_at_most: most,
    long_tasks: tasks.length,
    longest_ms: Math.max(0, ...tasks),
    over_100_ms: tasks.filter((ms) => ms > 100).length,
  }),
);
await stop();
