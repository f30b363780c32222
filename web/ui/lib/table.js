// A table of any length: only the rows near the screen are in the document, and further ones are asked for by cursor as
// the reader gets there. Rows have one height (--row of the style sheet), so where each stands is a multiplication.
//
// columns: {name, label, show(row) => content, phone: "title"|"side"|"sub"|"note"|"start"|"end"}; on a phone a row is a
// card, and `phone` says where in it a column stands; columns without are not shown there.
import { announce, freshId, h, put } from "./dom.js";
import { isAbort } from "./api.js";

const SPARE = 6; // rows beyond the screen
const AHEAD = 40; // rows left when more are asked for
const SLICE = 8; // rows made in a frame while the reader scrolls; a screenful of them would be a long task

export class LongTable {
  // load(cursor) => {data, next_cursor}; key(row); href(row): where a row leads; empty(): what to show without rows
  constructor({ caption, columns, load, key = (row) => row.id, href, empty, kind = "", signal, count }) {
    Object.assign(this, { columns, load, key, href, empty, count });
    this.rows = [];
    this.places = new Map(); // key -> index
    this.drawn = new Map(); // key -> tr
    this.from = this.to = 0; // which rows are drawn
    this.next = null;
    this.loading = false;
    const id = freshId("caption");
    this.before = h("tr.spacer", { "aria-hidden": "true", role: "presentation" }, h("td", { role: "presentation" }));
    this.after = this.before.cloneNode(true);
    this.body = h("tbody", { role: "rowgroup" }, this.before, this.after);
    this.table = h(
      "table.long",
      { role: "table", class: kind, "aria-labelledby": id, "aria-rowcount": "-1" },
      h("caption", { id, class: "only-heard" }, caption),
      h(
        "thead",
        { role: "rowgroup" },
        h(
          "tr",
          { role: "row", "aria-rowindex": "1" },
          columns.map((column) =>
            h(
              "th",
              { scope: "col", role: "columnheader", class: "c-" + column.name },
              column.label || h("span.only-heard", null, "Actions"),
            ),
          ),
        ),
      ),
      this.body,
    );
    this.none = h("div", { hidden: true });
    this.foot = h("p.table-foot", { role: "status" });
    this.element = h("div.long-holder", null, this.table, this.none, this.foot);
    this.draw = this.draw.bind(this);
    this.soon = () => {
      this.frame ??= requestAnimationFrame(() => {
        this.frame = null;
        this.draw();
      });
    };
    window.addEventListener("scroll", this.soon, { passive: true, signal });
    window.addEventListener(
      "resize",
      () => {
        this.height = 0;
        this.soon();
      },
      { signal },
    );
    this.table.addEventListener("keydown", (event) => this.onKey(event));
    if (href) this.body.addEventListener("click", (event) => this.onClick(event));
  }

  rowHeight() {
    this.height ||= parseFloat(getComputedStyle(this.table).getPropertyValue("--row")) || 44;
    return this.height;
  }

  // From the start. Keeps what is shown until the answer is here.
  async reload() {
    const turn = (this.turn = (this.turn || 0) + 1);
    this.loading = true;
    this.foot.textContent = this.rows.length ? "" : "Loading…";
    try {
      const page = await this.load(null);
      if (turn !== this.turn) return;
      this.loading = false;
      this.take(page, true);
    } catch (error) {
      if (turn !== this.turn || isAbort(error)) return;
      this.loading = false;
      this.failed(error, () => this.reload());
    }
  }

  async more() {
    if (this.loading || !this.next) return;
    const turn = this.turn;
    this.loading = true;
    try {
      const page = await this.load(this.next);
      if (turn !== this.turn) return;
      this.loading = false;
      this.take(page, false);
    } catch (error) {
      if (turn !== this.turn || isAbort(error)) return;
      this.loading = false;
      this.failed(error, () => this.more());
    }
  }

  failed(error, again) {
    put(this.foot, error.message + " ", h("button", { type: "button", onclick: again }, "Try again"));
  }

  take(page, fresh) {
    if (fresh) {
      this.rows = [];
      this.places = new Map();
    }
    for (const row of page.data) {
      const key = this.key(row);
      if (this.places.has(key)) continue;
      this.places.set(key, this.rows.length);
      this.rows.push(row);
    }
    this.next = page.has_more === false ? null : page.next_cursor || null;
    this.changed(fresh);
  }

  // Rows came or went elsewhere than at the end.
  moved() {
    this.places = new Map(this.rows.map((row, at) => [this.key(row), at]));
    this.changed();
  }

  // The rows are others: counts, and what is on the screen. More rows at the end can wait for the next frame.
  changed(whole = true) {
    const none = this.rows.length === 0;
    this.table.hidden = none;
    this.none.hidden = !none;
    if (none) put(this.none, this.empty());
    this.table.setAttribute("aria-rowcount", this.next ? "-1" : String(this.rows.length + 1));
    this.foot.textContent = none ? "" : this.next ? "Scroll for older ones" : `${this.rows.length} shown, that is all`;
    if (this.count) this.count(this.rows.length, Boolean(this.next));
    if (whole) this.draw(true);
    else this.soon();
    if (none && this.next) {
      // The server has looked at many that did not pass the filters, and not at all yet.
      put(this.none, "Looking further…");
      this.more();
    }
  }

  has(key) {
    return this.places.has(key);
  }
  row(key) {
    return this.rows[this.places.get(key)];
  }

  update(row) {
    const at = this.places.get(this.key(row));
    if (at === undefined) return;
    this.rows[at] = row;
    const old = this.drawn.get(this.key(row));
    if (old) this.redraw(old, row, at);
  }

  add(row) {
    if (this.has(this.key(row))) return this.update(row);
    this.rows.unshift(row);
    this.moved();
  }

  drop(key) {
    if (!this.has(key)) return;
    this.rows.splice(this.places.get(key), 1);
    this.moved();
  }

  visible() {
    return [...this.drawn.keys()].map((key) => this.row(key)).filter(Boolean);
  }

  make(row, at) {
    const tr = h("tr", { role: "row" });
    tr.dataset.key = this.key(row);
    this.dress(tr, row, at);
    return tr;
  }

  dress(tr, row, at) {
    tr.setAttribute("aria-rowindex", at + 2);
    put(
      tr,
      this.columns.map((column, nth) =>
        h(
          "td",
          {
            role: nth === 0 ? "rowheader" : "cell",
            class: ["c-" + column.name, column.phone ? "p-" + column.phone : "p-none"],
          },
          column.show(row),
        ),
      ),
    );
  }

  // The focus stays where it was in the row.
  redraw(tr, row, at) {
    const inside = tr.contains(document.activeElement);
    const nth = inside ? [...tr.querySelectorAll("a, button")].indexOf(document.activeElement) : -1;
    if (tr.querySelector("[aria-expanded=true]")) return;
    this.dress(tr, row, at);
    if (nth >= 0) tr.querySelectorAll("a, button")[nth]?.focus({ preventScroll: true });
  }

  // Which rows of first to last to draw: all, or those that are there already and a slice more, downwards before
  // upwards. After a jump none is there; it begins with `seen`, the first on the screen.
  span(first, last, seen, whole) {
    if (whole) return [first, last];
    let from = Math.max(first, this.from),
      to = Math.min(last, this.to);
    if (from >= to) from = to = seen;
    const below = Math.min(SLICE, last - to);
    return [Math.max(first, from - SLICE + below), to + below];
  }

  draw(whole = false) {
    if (!this.rows.length) {
      this.drawn.forEach((tr) => tr.remove());
      this.drawn.clear();
    }
    if (!this.table.isConnected || !this.rows.length) return;
    const height = this.rowHeight();
    const top = this.body.getBoundingClientRect().top;
    const seen = Math.max(0, Math.min(this.rows.length - 1, Math.floor(-top / height)));
    const first = Math.max(0, seen - SPARE);
    const last = Math.min(this.rows.length, Math.max(seen, Math.ceil((innerHeight - top) / height)) + SPARE);
    const [from, to] = this.span(first, last, seen, whole);
    const wanted = new Set(this.rows.slice(from, to).map((row) => this.key(row)));
    const goes = (tr) => tr !== this.after && !wanted.has(tr.dataset.key);
    let place = this.before;
    for (let at = from; at < to; at++) {
      const row = this.rows[at],
        key = this.key(row);
      let tr = this.drawn.get(key);
      if (!tr) this.drawn.set(key, (tr = this.make(row, at)));
      else tr.setAttribute("aria-rowindex", at + 2);
      // A row that stays is not moved: that would cost it its layout and the focus. Rows that go are passed over, to
      // go last, so that the page is never too short for where it is scrolled to.
      while (goes(place.nextSibling)) place = place.nextSibling;
      if (place.nextSibling !== tr) place.after(tr);
      place = tr;
    }
    for (const [key, tr] of this.drawn) {
      if (wanted.has(key)) continue;
      tr.remove();
      this.drawn.delete(key);
    }
    this.before.firstChild.style.height = `${from * height}px`;
    this.after.firstChild.style.height = `${(this.rows.length - to) * height}px`;
    [this.from, this.to] = [from, to];
    if (from > first || to < last) this.soon();
    if (this.next && last + AHEAD > this.rows.length) this.more();
  }

  onClick(event) {
    const tr = event.target.closest("tr[data-key]");
    if (!tr || event.target.closest("a, button, input, select") || String(getSelection())) return;
    const row = this.row(tr.dataset.key);
    if (row) location.hash = this.href(row).slice(1);
  }

  // Arrows go from row to row, Home and End to the first and the last that is here.
  onKey(event) {
    const tr = event.target.closest("tr[data-key]");
    if (!tr || event.target.closest("input, select, [role=menu]")) return;
    const at = this.places.get(tr.dataset.key);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.rows.length - 1 }[event.key];
    if (to === undefined || !this.rows[to]) return;
    event.preventDefault();
    this.reveal(to);
    this.drawn.get(this.key(this.rows[to]))?.querySelector("a, button")?.focus({ preventScroll: true });
    if (event.key === "End" && this.next) announce("There are older ones; they are being asked for.");
  }

  reveal(at) {
    const height = this.rowHeight(),
      top = this.body.getBoundingClientRect().top + at * height;
    const head = 110;
    if (top < head) scrollBy(0, top - head);
    else if (top + height > innerHeight - 20) scrollBy(0, top + height - innerHeight + 20);
    this.draw(true);
  }
}
