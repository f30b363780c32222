// Pages of faxes as pictures, and documents to save. They are fetched with the session or the key and shown from memory:
// an <img> of its own could not carry the key. What was fetched stays for as long as the page is open.
import { ask } from "./api.js";
import { h } from "./dom.js";

const ROOM = 400; // pictures kept
const AT_ONCE = 4;
const kept = new Map(); // path -> promise of an address in memory
const waiting = [];
let busy = 0;

function next() {
  while (busy < AT_ONCE && waiting.length) {
    busy++;
    waiting
      .pop()()
      .finally(() => {
        busy--;
        next();
      }); // what was asked for last is what is being looked at
  }
}

const queued = (work) =>
  new Promise((resolve, reject) => {
    waiting.push(() => work().then(resolve, reject));
    next();
  });

const fetched = async (path) => (await ask("GET", path, { cache: "default" })).blob();

// `load` gives the picture of a path that is none of the API: one that is asked for by more than a GET.
export function addressOf(path, load = fetched) {
  let found = kept.get(path);
  if (!found) {
    found = queued(async () => URL.createObjectURL(await load(path)));
    found.catch(() => kept.delete(path));
    kept.set(path, found);
    for (const [old, address] of kept) {
      if (kept.size <= ROOM) break;
      kept.delete(old);
      address.then(URL.revokeObjectURL, () => {});
    }
  }
  return found;
}

export function forgetPictures() {
  kept.forEach((address) => address.then(URL.revokeObjectURL, () => {}));
  kept.clear();
}

// An image that comes when it is near the screen; until then, and without one, a blank sheet.
export function picture(path, alt, props = {}, load = undefined) {
  const image = h("img", { alt, decoding: "async", ...props });
  const sheet = h("span.sheet", null, image);
  const show = () =>
    addressOf(path, load).then(
      (address) => {
        image.src = address;
        sheet.classList.add("ready");
      },
      () => {
        sheet.classList.add("none");
        image.alt = `${alt} (not available)`;
      },
    );
  const watcher = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      show();
    },
    { rootMargin: "300px" },
  );
  watcher.observe(sheet);
  return sheet;
}

// Save what `path` gives as a file.
export async function download(path, name) {
  const blob = await (await ask("GET", path)).blob();
  const address = URL.createObjectURL(blob);
  const anchor = h("a", { href: address, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

// Print pages: their pictures alone, one to a sheet of paper.
export async function printPages(paths) {
  const box = h("div.print-only", { "aria-hidden": "true" });
  for (const path of paths) {
    const image = h("img", { alt: "", src: await addressOf(path) });
    box.append(image);
    await image.decode().catch(() => {});
  }
  document.body.append(box);
  document.body.classList.add("printing");
  window.print();
  document.body.classList.remove("printing");
  box.remove();
}
