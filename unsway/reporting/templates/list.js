// A list that draws only the rows in sight: a listbox with one active option, thousands of rows long.

const ROW_HEIGHT = 58;
const BEYOND = 6; // rows drawn above and below what is in sight

class List {
  /** `draw(item)` gives the children of a row and its label; `pick(item)` is called when a row becomes the active one. */
  constructor(box, draw, pick) {
    Object.assign(this, { box, draw, pick, items: [], active: -1 });
    this.sizer = el("div", { class: "sizer", role: "presentation" });
    box.append(this.sizer);
    box.addEventListener("scroll", () => this.render(), { passive: true });
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.choose(Number(row.dataset.at));
    });
    new ResizeObserver(() => this.render()).observe(box);
  }

  /** Show these items, with one of them active. */
  show(items, active) {
    this.items = items;
    this.active = active;
    this.sizer.style.height = `${items.length * ROW_HEIGHT}px`;
    this.reveal();
    this.render();
  }

  /** Make an item the active one, and say so. */
  choose(at) {
    if (at < 0 || at >= this.items.length) return;
    this.active = at;
    this.reveal();
    this.render();
    this.pick(this.items[at]);
  }

  /** Scroll as little as needed to make the active row visible. */
  reveal() {
    if (this.active < 0) return;
    const top = this.active * ROW_HEIGHT, { scrollTop, clientHeight } = this.box;
    if (top < scrollTop) this.box.scrollTop = top;
    else if (top + ROW_HEIGHT > scrollTop + clientHeight) this.box.scrollTop = top + ROW_HEIGHT - clientHeight;
  }

  /** Draw the rows in sight. */
  render() {
    const { scrollTop, clientHeight } = this.box;
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - BEYOND);
    const last = Math.min(this.items.length, Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + BEYOND);
    const rows = [];
    for (let at = first; at < last; at++) rows.push(this.row(at));
    this.sizer.replaceChildren(...rows);
    if (this.active >= first && this.active < last) this.box.setAttribute("aria-activedescendant", `row-${this.active}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  row(at) {
    const { label, children } = this.draw(this.items[at]);
    const row = el("div", { class: "row", role: "option", id: `row-${at}`, "data-at": at, "aria-label": label }, children);
    row.setAttribute("aria-selected", String(at === this.active));
    row.setAttribute("aria-setsize", this.items.length);
    row.setAttribute("aria-posinset", at + 1);
    row.style.top = `${at * ROW_HEIGHT}px`;
    return row;
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / ROW_HEIGHT) - 1), end = this.items.length - 1;
    const to = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, Home: 0, End: end }[event.key]
      ?? { PageDown: Math.min(end, this.active + page), PageUp: Math.max(0, this.active - page) }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.choose(to);
  }
}
