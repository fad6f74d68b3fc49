// The page on which one person labels. Every choice is sent at once and shown as saved only when the server says so.

const token = location.hash.slice(1);
const at = (id) => document.getElementById(id);
const ROLES = { system: "system", user: "user", assistant: "model" };

/** Ask the server; the answer's JSON, or an error that says what went wrong. */
async function ask(path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  const how = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(path, how);
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? `status ${answer.status}`);
  return answer;
}

class Labelling {
  constructor(state) {
    Object.assign(this, state, { here: 0 });
    this.keys = {}; // key: the questions that it answers, in order
    at("saved").before(...state.questions.map((question) => this.fieldset(question)));
    for (const id of ["main", "form"]) at(id).hidden = false;
  }

  fieldset({ name, ask, choices }) {
    return el("fieldset", { id: name }, el("legend", {}, ask), el("div", { class: "choices" }, choices.map(([value, key, text]) => {
      (this.keys[key] ??= []).push([name, value]);
      const input = el("input", { type: "radio", name, value: String(value), onchange: () => this.choose(name, value) });
      return el("label", {}, input, el("span", {}, el("kbd", {}, key), ` ${text}`));
    })));
  }

  get id() { return this.order[this.here]; }
  get label() { return this.done[this.id] ?? {}; }

  /** A reply has its label when every question is answered. */
  isDone(id) { return this.questions.every(({ name }) => (this.done[id]?.[name] ?? null) !== null); }

  async go(to) {
    if (to < 0 || to >= this.order.length) return;
    this.here = to;
    const id = this.id;
    const item = await (await ask(`/api/item/${encodeURIComponent(id)}`)).json();
    if (id !== this.id) return;
    at("prompt").replaceChildren(...item.turns.flatMap(({ role, parts }) => [
      el("span", { class: "role" }, ROLES[role] ?? role),
      ...parts.map(([kind, text]) => el(kind === "cue" ? "mark" : "span", { class: "piece" }, text))]));
    at("reply").replaceChildren(
      ...(item.reasoning ? [el("span", { class: "role" }, "reasoning"), el("span", { class: "piece" }, item.reasoning)] : []),
      ...(item.reasoning ? [el("span", { class: "role" }, "reply")] : []),
      el("span", { class: "piece" }, item.reply),
      el("span", { class: "role" }, item.answer ? `Read as answer (${item.answer}).` : "No option was read as its answer."));
    [at("prompt"), at("reply")].forEach(showMark);
    this.say("");
    this.draw();
    document.documentElement.dataset.item = id;
  }

  draw() {
    const n = this.order.filter((id) => this.isDone(id)).length;
    at("where").textContent = `${this.labeller}: reply ${this.here + 1} of ${this.order.length}, ${n} labelled`;
    at("progress").value = n / this.order.length;
    for (const input of at("form").querySelectorAll("input")) input.checked = input.value === String(this.label[input.name]);
  }

  async choose(name, value) {
    const id = this.id, before = this.label;
    this.done[id] = { ...before, [name]: value }; // so that the next click builds on it
    this.draw();
    this.say("Saving …");
    try {
      await ask("/api/label", { item: id, question: name, value });
      this.say(this.isDone(id) ? "Saved. Press Enter to continue." : "Saved.");
    } catch (error) {
      this.done[id] = before;
      this.draw();
      this.say(`Not saved: ${error.message}. Start the server again if it has ended, and open the address that it prints.`, true);
    }
  }

  /** The next reply without a label, from here on and then from the start. */
  open() {
    const after = [...this.order.keys()].map((i) => (this.here + 1 + i) % this.order.length);
    const to = after.find((i) => !this.isDone(this.order[i]));
    if (to === undefined) this.say("Everything is labelled. Thank you.");
    else this.step(to);
  }

  step(to) {
    this.go(to).catch((error) => this.say(`Cannot load the reply: ${error.message}`, true));
  }

  say(text, bad = false) {
    at("saved").textContent = text;
    at("saved").className = bad ? "bad" : "";
  }

  /** The question that a key answers: its first open question, or the first if none is open. */
  answer(key) {
    const asked = this.keys[key];
    if (!asked) return null;
    const [name, value] = asked.find(([one]) => (this.label[one] ?? null) === null) ?? asked[0];
    return () => this.choose(name, value);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const press = {
      j: () => this.step(this.here + 1), k: () => this.step(this.here - 1),
    }[event.key] ?? this.answer(event.key)
      ?? (event.key === "Enter" && event.target.tagName !== "BUTTON" ? () => this.open() : null);
    if (!press) return;
    event.preventDefault();
    press();
  }
}

try {
  const labelling = new Labelling(await (await ask("/api/state")).json());
  document.addEventListener("keydown", (event) => labelling.key(event));
  at("form").addEventListener("submit", (event) => event.preventDefault());
  at("previous").onclick = () => labelling.step(labelling.here - 1);
  at("next").onclick = () => labelling.step(labelling.here + 1);
  at("open").onclick = () => labelling.open();
  at("export").onclick = async () => save("labels.jsonl", await (await ask("/api/export")).text(), "application/x-ndjson");
  const first = labelling.order.findIndex((id) => !labelling.isDone(id));
  await labelling.go(Math.max(0, first));
  document.documentElement.dataset.ready = "yes";
} catch (error) {
  at("where").textContent = `This page cannot be used: ${error.message}`;
}
