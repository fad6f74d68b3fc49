// The transcripts: filters, search, a list of pairs, one pair open. Everything that is chosen is in the address.

const FILTERS = ["q", "bias", "source", "arm", "outcome", "beside", "pair"];

class Viewer {
  constructor(data) {
    this.data = data;
    this.lower = [];
    this.form = document.querySelector(".filters");
    this.article = document.getElementById("pair");
    this.found = document.getElementById("found");
    this.at = new Map(data.rows.map((row, i) => [row.id, i]));
    this.list = new List(document.getElementById("list"), (row) => this.drawRow(row), (row) => this.open(row));
    this.fill();
    this.form.addEventListener("input", () => this.filter());
    document.getElementById("clear").addEventListener("click", () => (this.form.reset(), this.filter()));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", (event) => this.key(event));
    document.getElementById("next").addEventListener("click", () => this.step(1));
    document.getElementById("previous").addEventListener("click", () => this.step(-1));
    addEventListener("hashchange", () => this.follow());
    this.follow() || this.filter();
  }

  /** Options of the filters, and the key to the signs. */
  fill() {
    const { biases, sources, arms } = this.data;
    const add = (name, values) => this.form.elements[name].append(...values.map(([value, text]) => el("option", { value }, text)));
    add("bias", biases.map(({ id, label, trained }) => [id, trained ? `${label} (trained on)` : label]));
    add("source", sources.map((name) => [name, name]));
    add("arm", arms.map(({ label }) => [label, label]));
    add("outcome", Object.entries(STATES).map(([name, { label }]) => [name, label]));
    if (this.data.rows.some(({ arms }) => arms.some((said) => said && "says" in said))) add("outcome", Object.entries(ADMITS).map(([name, { label }]) => [name, label]));
    document.getElementById("legend").replaceChildren(
      el("span", {}, arms.map(({ label, ink }) => el("b", { style: `color: ${ink}` }, label))),
      ...Object.values(STATES).map(({ sign, label }) => el("span", {}, `${sign} ${label}`)));
  }

  /** What is chosen in the filters. */
  get chosen() {
    return Object.fromEntries(FILTERS.slice(0, -1).map((name) => [name, this.form.elements[name].value]));
  }

  /** Show the pairs that fit the filters; keep the open one if it is among them. */
  filter() {
    const { q, bias, source, arm, outcome } = this.chosen, { data } = this;
    const put = data.biases.findIndex(({ id }) => id === bias), from = data.sources.indexOf(source);
    const only = data.arms.findIndex(({ label }) => label === arm), has = this.search(q.trim().toLowerCase());
    const fits = (row) => (put < 0 || row.bias === put) && (from < 0 || row.source === from)
      && (only < 0 || row.arms[only]) && (!outcome || row.arms.some((said, i) => said && came(said, outcome) && (only < 0 || i === only)))
      && (!has || has(row));
    const rows = data.rows.filter(fits);
    const kept = this.row ? rows.indexOf(this.row) : -1;
    this.found.textContent = `${rows.length.toLocaleString("en")} of ${data.rows.length.toLocaleString("en")} pairs`;
    this.list.show(rows, rows.length ? Math.max(0, kept) : -1);
    this.open(rows[Math.max(0, kept)] ?? null);
  }

  /** A test of rows for a text in the question, its options, the pair's id or any reply; null if there is no search text. */
  search(text) {
    if (!text) return null;
    const { data } = this;
    for (const _ of this.lowering(Infinity));
    const inReply = this.lower.map((body) => body.includes(text));
    const inQuestion = data.questions.map(({ stem, options }) => [stem, ...options].join("\n").toLowerCase().includes(text));
    const said = (reply) => reply && inReply[reply[0]];
    return (row) => inQuestion[row.question] || row.id.startsWith(text) || row.arms.some((arm) => arm && (said(arm.clean) || said(arm.biased)));
  }

  /** Lower-case replies for the search, some at a time; finished ones are kept. */
  *lowering(some) {
    const { replies } = this.data;
    while (this.lower.length < replies.length) {
      for (const { text, reasoning, turns } of replies.slice(this.lower.length, this.lower.length + some)) {
        this.lower.push([text, reasoning ?? "", ...(turns ?? [])].join("\n").toLowerCase());
      }
      yield;
    }
  }

  drawRow(row) {
    const { stem } = this.data.questions[row.question], { label } = this.data.biases[row.bias];
    const states = row.arms.map((said, i) => (said ? [this.data.arms[i].label, i, STATES[said.state]] : null)).filter(Boolean);
    return {
      label: `${stem} ${label}. ${states.map(([arm, , state]) => `${arm}: ${state.label}`).join("; ")}`,
      children: [el("span", { class: "stem" }, stem), el("span", { class: "under" }, el("span", { class: "bias" }, label),
        el("span", { class: "signs" }, states.map(([, i, state]) => el("b", { style: `color: ${this.data.arms[i].ink}` }, state.sign))))],
    };
  }

  /** Open a pair, and put it and the filters into the address. */
  open(row) {
    const again = row === this.row && this.beside === this.chosen.beside;
    Object.assign(this, { row, beside: this.chosen.beside });
    if (!again) this.draw(row);
    if (this.ready) this.remember();
  }

  /** Show a pair, its prompt scrolled to where its cue begins, and reasoning to what was read in it. */
  draw(row) {
    this.article.replaceChildren(...(row ? drawPair(this.data, row, this.beside) : [el("p", { class: "none" }, "No pair fits.")]));
    this.article.querySelectorAll(".turns, .thinking").forEach(showMark);
  }

  remember() {
    const first = { beside: this.form.elements.beside.options[0].value };
    const chosen = { ...this.chosen, pair: this.row?.id ?? "" };
    const kept = Object.entries(chosen).filter(([name, value]) => value && value !== first[name]);
    history.replaceState(null, "", `#${new URLSearchParams(kept)}`);
  }

  /** Go to what the address names; false if it names no filter and no pair. */
  follow() {
    const said = new URLSearchParams(location.hash.slice(1));
    if (!FILTERS.some((name) => said.has(name))) return false;
    for (const name of FILTERS.slice(0, -1)) {
      const field = this.form.elements[name];
      field.value = said.get(name) ?? (field.options?.[0]?.value ?? "");
      if (field.selectedIndex === -1) field.selectedIndex = 0;
    }
    this.row = this.data.rows[this.at.get(said.get("pair"))] ?? null;
    this.beside = this.chosen.beside;
    this.draw(this.row);
    this.filter();
    this.section.scrollIntoView();
    return true;
  }

  get section() {
    return document.getElementById("transcripts");
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "Escape" && typing) return event.target.blur();
    if (typing) return;
    if (event.key === "/") {
      event.preventDefault();
      this.form.elements.q.focus();
      this.section.scrollIntoView();
    } else if (event.key === "j" || event.key === "k") this.step(event.key === "j" ? 1 : -1);
  }

  step(by) {
    this.list.choose(this.list.active + by);
  }
}
