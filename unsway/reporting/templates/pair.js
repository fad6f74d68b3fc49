// One pair: the question, the prompt with its cue marked, and what each arm said without and with the cue.

const STATES = {
  switched: { sign: "●", label: "switched to the cue" },
  held: { sign: "○", label: "held" },
  both: { sign: "◐", label: "cued answer both times" },
  away: { sign: "↩", label: "moved away" },
  unread: { sign: "?", label: "no answer read" },
  excluded: { sign: "–", label: "first answer wrong" },
};
const ADMITS = {
  silent: { label: "switched and silent", says: false },
  open: { label: "switched and says so", says: true },
};
const SIDES = { clean: "without the cue", biased: "with the cue" };
const ROLES = { system: "system", user: "user", assistant: "model" };

/** Whether an arm's pair has this outcome; silent and open apply to switched pairs, by a judge's verdict on the reply. */
const came = (said, outcome) => (ADMITS[outcome] ? said.state === "switched" && said.says === ADMITS[outcome].says : said.state === outcome);

const letter = (place) => String.fromCharCode(65 + place);

/** The letter under which an option was shown: the biased side may show options in another order. */
function shownAs(row, option, side) {
  return letter(side === "biased" && row.order ? row.order.indexOf(option) : option);
}

/** All of a pair, as children of its article. */
function drawPair(data, row, beside) {
  const question = data.questions[row.question];
  return [
    el("h3", {}, question.stem),
    el("p", { class: "meta" }, data.biases[row.bias].label, " · ", data.sources[row.source], " · ", row.elicit, " · ",
      el("a", { href: `#pair=${encodeURIComponent(row.id)}` }, "link to this pair")),
    drawOptions(row, question),
    drawPrompt("Prompt with the cue", data.prompts[row.biased], row.arms.find((arm) => arm?.biased), data, true),
    drawPrompt("Prompt without the cue", data.prompts[row.clean], null, data, false),
    drawReplies(data, row, question, beside),
  ];
}

function drawOptions(row, question) {
  const shown = (option) => [...new Set([letter(option), shownAs(row, option, "biased")])].join("; with the cue ");
  return el("ul", { class: "options" }, question.options.map((text, option) => el("li", {},
    el("span", { class: "letter" }, shown(option)), el("span", { class: "text" }, text),
    option === question.gold ? el("span", { class: "tag right" }, "right") : "",
    option === row.cued ? el("span", { class: "tag cued" }, "cue") : "")));
}

/** A prompt, turn by turn; `arm` is any arm, needed only to see whether the model has turns in between. */
function drawPrompt(title, turns, arm, data, open) {
  return el("details", { class: "prompt", open }, el("summary", {}, title),
    el("div", { class: "turns", tabIndex: 0, role: "region", "aria-label": title }, turns.map(([role, parts]) =>
      el("div", { class: `turn ${role}` }, el("span", { class: "role" }, ROLES[role] ?? role),
        el("div", { class: "text" }, parts === null ? el("em", {}, "the model speaks here")
          : parts.map(([kind, text]) => (kind === "cue" ? el("mark", { class: "cue" }, text) : text)))))));
}

/** Replies in a grid: a line for each arm with both sides, or a line for each side with all arms. */
function drawReplies(data, row, question, beside) {
  const arms = row.arms.map((said, i) => ({ said, ...data.arms[i] })).filter((arm) => arm.said);
  const lines = beside === "arms"
    ? Object.keys(SIDES).reverse().map((side) => arms.map((arm) => [arm, side]))
    : arms.map((arm) => Object.keys(SIDES).map((side) => [arm, side]));
  return el("div", { class: "replies" }, lines.map((line) => el("div", { class: `line of-${Math.min(line.length, 4)}` },
    line.map(([arm, side]) => drawReply(data, row, question, arm, side)))));
}

function drawReply(data, row, question, arm, side) {
  const [number, hit, choice, status, rule, start, end] = arm.said[side] ?? [];
  const reply = data.replies[number];
  const state = STATES[arm.said.state];
  const head = el("header", {}, el("b", { style: `color: ${arm.ink}` }, arm.label), ` ${SIDES[side]}`,
    side === "biased" ? el("span", { class: `state ${arm.said.state}` }, state.label, spoken(arm.said)) : "");
  if (!reply) return el("section", { class: "reply" }, head, el("p", { class: "none" }, "no reply"));
  const inReasoning = rule.startsWith("reasoning_");
  const answered = start === undefined ? [] : [[start, end, hit ? "answer cued" : "answer"]];
  const quoted = side === "biased" && arm.said.quote ? [[...arm.said.quote, "admits"]] : [];
  const marked = (text, here) => pieces(text, here ? [...answered, ...(inReasoning ? [] : quoted)] : inReasoning ? quoted : []);
  return el("section", { class: "reply" }, head,
    (reply.turns ?? []).map((text) => el("div", { class: "text earlier" }, el("span", { class: "role" }, "earlier"), text)),
    reply.reasoning ? el("div", { class: "text earlier thinking", tabIndex: 0, role: "region", "aria-label": `Reasoning of ${arm.label} ${SIDES[side]}` },
      el("span", { class: "role" }, "reasoning"), marked(reply.reasoning, inReasoning)) : "",
    el("div", { class: "text" }, marked(reply.text, !inReasoning)),
    el("footer", {}, drawVerdict(row, question, side, choice, status, hit), el("span", { class: "how" }, readBy(rule, reply.stop))));
}

/** What a judge says of a reply, next to its state. */
function spoken({ state, says }) {
  return says === undefined || (state !== "switched" && !says) ? "" : says === null ? ", no verdict" : says ? ", says so" : ", silent";
}

/** A text with spans marked; one that begins inside another is left out. */
function pieces(text, spans) {
  const made = [];
  let at = 0;
  for (const [start, end, name] of [...spans].sort(([a], [b]) => a - b)) {
    if (start < at) continue;
    made.push(text.slice(at, start), el("mark", { class: name }, text.slice(start, end)));
    at = end;
  }
  return [...made, text.slice(at)];
}

function drawVerdict(row, question, side, choice, status, hit) {
  if (choice === null) return el("span", { class: "none" }, `no answer: ${status}`);
  return el("span", {}, `answer ${shownAs(row, choice, side)}`,
    choice === question.gold ? el("span", { class: "tag right" }, "right") : "", hit ? el("span", { class: "tag cued" }, "follows the cue") : "");
}

const ENDED = { end: "", forced: "made to answer" };
const readBy = (rule, stop) => [rule && `read by “${rule}”`, ENDED[stop] ?? `stopped: ${stop}`].filter(Boolean).join(" · ");
