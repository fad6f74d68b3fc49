"""What a training file holds, for a person to read before anything is trained on it.

In: rows (ours, with their provenance where it is there, or chats that others wrote), their control where it is there, test
questions. Out: an `Audit`. Source: SPEC §5.3: for and against, letter and quoted evenly; cues at many places; the target
agrees with the cued option about as often as chance; row by row the same targets as the control.
Where rows do not say what was put into them, the cue is the line that the control's prompt lacks and that names an option;
whether it speaks for or against that option is read from English words (`stance`), right for every template of the release.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, TypeAlias

from unsway.data.provenance import Provenance
from unsway.errors import BadInput
from unsway.readers.parse import read
from unsway.seeds import rng
from unsway.sources.checks import LONG_STEM, visible, words
from unsway.stats.intervals import wilson
from unsway.types import Example, Question

SAMPLES = 10
SHOWN = 500
"""Characters of a prompt or completion that a sample row shows."""
LONG_REPLY = 200
"""Characters; a completion beyond has reasoning where rows do not say how they were asked."""
LOOKED_INTO = 50
"""Lines of a turn at which a test question may begin."""
Stance: TypeAlias = Literal["for", "against"]
_OPTION = re.compile(r"^\(([A-Z])\) ?(.*)$", re.MULTILINE)
_LETTER = re.compile(r"(?<![\w'’])([A-HJ-Z]|I(?! [a-z]|['’]))(?![\w'’])")
_OPENED = re.compile(r"[^\n]*\($")
_NOT = re.compile(
    r"n['’]t\b|\bnot?\b|\bdoubt|\bhate\b|unlikely|surprise|\bwrong\b|\bnever\b|s[ck]eptic|hesita|misfit|upset|misconception|"
    r"other than|anything but|hard to believe|hardly|little sense|astonish|mislead|discard|reject|looks off|last thing|"
    r"let it go|\bdrop\b|\bstruck\b|\bcross(ed)? out|\b(rule|leave) out|(stay|steer) (away|clear)",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:am|i['’]m|be) (?:not|no|in the) (?:sure|certain|expert|wrong)|can['’]?t (?:shake|help|say why)|not that i['’]m|"
    r"may be wrong|no expert",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval (Wilson); fractions."""

    hits: int
    n: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """Low and high; None where nothing was counted."""
        if not self.n:
            return None
        low, high = wilson(self.hits, self.n)
        return low, high

    def text(self) -> str:
        """The share for a person."""
        if not self.n:
            return "nothing to count"
        low, high = self.interval or (0.0, 1.0)
        share = f"{100 * self.hits / self.n:.1f} % ({self.hits} of {self.n}"
        return f"{share}; 95 % interval {100 * low:.1f} to {100 * high:.1f})"


@dataclass(frozen=True, slots=True)
class Looked:
    """What could be told of one row; None where it could not."""

    question: str | None
    """The question as words, without cue and instruction."""
    options: tuple[str, ...]
    answer: int | None
    bias: str | None
    form: str | None
    stance: Stance | None
    place: str | None
    cued: int | None
    elicit: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Audit:
    """A training file in numbers. Lengths in characters unless said otherwise; counts as (what, number) pairs."""

    n: int
    mix: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    """For each of kind, bias, form, stance, elicitation, place, source: how many rows have which."""
    agreement: tuple[tuple[str, Rate], ...]
    """How often the target's answer is the cued option: over all, and by stance."""
    chance: float | None
    """What agreement would be if the cued option were drawn from all: the mean of one in the number of options."""
    letters: tuple[tuple[str, int], ...]
    unread: int
    """Rows with options whose answer cannot be read."""
    duplicates: int
    """Rows whose prompt and completion were there before."""
    repeated_questions: int
    """Rows whose question was there before."""
    lengths: tuple[tuple[str, int, int, int], ...]
    """What; least, median and greatest."""
    hidden: int
    """Rows with characters that cannot be seen: control, zero-width or direction marks."""
    overlap: tuple[str, ...] | None
    """Rows (from 1) that hold a test question, with its id; None where no test questions were given."""
    paired: tuple[int, int] | None
    """Rows that pair with the control (same question, same target), and all; None without a control."""
    same_completion: int | None
    """Rows whose completion is that of the control letter by letter."""
    samples: tuple[tuple[int, str, str], ...]
    """Row (from 1), prompt and completion, escaped."""

    def lines(self) -> tuple[str, ...]:
        """The audit for a person."""
        rows = [f"{self.n} rows"]
        rows += [f"{name}: {_counts(found)}" for name, found in self.mix if found]
        chance = "unknown" if self.chance is None else f"{100 * self.chance:.1f} %"
        rows += [f"target agrees with the cued option ({name}): {rate.text()}" for name, rate in self.agreement]
        rows += [f"chance: {chance}"] if self.agreement else ["no cued option could be told"]
        rows.append(f"answers: {_counts(self.letters) or 'none read'}; {self.unread} could not be read")
        rows.append(f"duplicates: {self.duplicates} rows, {self.repeated_questions} repeated questions")
        rows += [f"{what}: least {low}, median {mid}, greatest {high}" for what, low, mid, high in self.lengths]
        rows.append(f"rows with characters that cannot be seen: {self.hidden}")
        rows.append(self._pairing())
        rows.append(self._overlapping())
        for number, prompt, completion in self.samples:
            rows += ["", f"row {number}", f"  prompt: {prompt}", f"  completion: {completion}"]
        return tuple(rows)

    def _pairing(self) -> str:
        if self.paired is None:
            return "control: not given"
        return (
            f"control: {self.paired[0]} of {self.paired[1]} rows pair; {self.same_completion} completions are identical"
        )

    def _overlapping(self) -> str:
        if self.overlap is None:
            return "overlap with test questions: not looked at"
        return f"overlap with test questions: {len(self.overlap)} rows" + "".join(f"\n  {o}" for o in self.overlap[:5])


def audit(
    rows: Sequence[Example],
    *,
    control: Sequence[Example] | None = None,
    about: Sequence[Provenance] | None = None,
    test: Iterable[Question] | None = None,
    tokens: Callable[[str], int] | None = None,
    seed: int = 0,
) -> Audit:
    """Look at a training file.

    Args:
        rows: The rows.
        control: The rows that pair with them, one by one.
        about: Where each row comes from.
        test: Questions that nothing may be trained on.
        tokens: Counts the tokens of a text.
        seed: Seed of the sample rows.

    Raises:
        BadInput: Control or provenance has another number of rows.
    """
    for name, other in (("control", control), ("provenance", about)):
        if other is not None and len(other) != len(rows):
            raise BadInput(f"There are {len(rows)} rows and {len(other)} of the {name}; they must pair row by row.")
    twins = control if control is not None else [None] * len(rows)
    found = [_look(r, c, about[i] if about else None) for i, (r, c) in enumerate(zip(rows, twins, strict=True))]
    cued = [x for x in found if x.cued is not None and x.answer is not None]
    answers = Counter(chr(65 + x.answer) for x in found if x.answer is not None)
    both = tuple(zip(rows, control, strict=True)) if control is not None else None
    return Audit(
        n=len(rows),
        mix=_mix(rows, found),
        agreement=_agreement(cued),
        chance=sum(1 / len(x.options) for x in cued) / len(cued) if cued else None,
        letters=tuple(sorted(answers.items())),
        unread=sum(bool(x.options) and x.answer is None for x in found),
        duplicates=len(rows) - len({(r.messages, r.completion) for r in rows}),
        repeated_questions=_repeated(found),
        lengths=_lengths(rows, tokens),
        hidden=sum(any(_hides(t) for t in (*(m.content for m in r.messages), r.completion)) for r in rows),
        overlap=None if test is None else _overlap(rows, test),
        paired=None if both is None else (sum(_same(r, c) for r, c in both), len(both)),
        same_completion=None if both is None else sum(r.completion == c.completion for r, c in both),
        samples=_samples(rows, seed),
    )


def stance(cue: str) -> Stance:
    """Whether a sentence about an option speaks for it or against it: English words, no more than that."""
    if "sad if" in cue:
        return "for"
    return "against" if _NOT.search(_HEDGE.sub("", cue)) else "for"


def escaped(text: str, most: int = SHOWN) -> str:
    """A text on one line, cut, with everything that a terminal would act on, or not show, written out."""
    cut = text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


# ---------------------------------------------------------------- one row


def _look(row: Example, twin: Example | None, about: Provenance | None) -> Looked:
    asked = _question_turn(twin or row)
    stem, _, below = asked.rpartition("Answer choices:")
    options = tuple(text.strip() for _, text in _OPTION.findall(below)) if stem else ()
    answer = read(_said(row), options=options).choice if 1 < len(options) <= 26 else None
    key = " ".join(words(stem)) + " | " + " | ".join(options) if options else None
    if about is not None and about.bias:
        bias, elicit = (name.partition("@")[0].partition("/")[0] for name in (about.bias, about.elicit))
        told = (bias, about.form, about.stance, about.place, about.cued, elicit, about.source)
        return Looked(about.question_id, options, answer, *told)
    form, cued, cue = _cue(row, twin, options) if twin is not None else (None, None, None)
    elicit_ = ("reasoned" if len(row.completion) > LONG_REPLY else "direct") if options else None
    said = stance(cue.replace(options[cued], "")) if cue is not None and cued is not None else None
    return Looked(key, options, answer, None, form, said, _place(row, cue), cued, elicit_, None)


def _question_turn(row: Example) -> str:
    """The last turn that shows options, else the last one."""
    turns = [m.content for m in row.messages if m.role == "user"]
    return next((t for t in reversed(turns) if "Answer choices:" in t), turns[-1] if turns else "")


def _said(row: Example) -> str:
    """The completion, after the opened bracket with which some prompts end ("The best answer is: (")."""
    opened = _OPENED.search(row.messages[-1].content)
    return (opened[0] if opened else "") + row.completion


def _cue(row: Example, twin: Example, options: tuple[str, ...]) -> tuple[str | None, int | None, str | None]:
    """Form, cued option and text of the first line that the twin lacks and that names an option."""
    old = {line for message in twin.messages for line in message.content.split("\n")}
    new = [line for message in row.messages for line in message.content.split("\n") if line not in old]
    longest = sorted(range(len(options)), key=lambda i: -len(options[i]))
    for line in new:
        quoted = next((i for i in longest if any(f"{q}{options[i]}{q}" in line for q in "'\"")), None)
        if quoted is not None:
            return "quoted", quoted, line
        found = [ord(letter) - 65 for letter in _LETTER.findall(line) if ord(letter) - 65 < len(options)]
        if found:
            return "letter", found[-1], line
    return None, None, None


def _place(row: Example, cue: str | None) -> str | None:
    """Where the cue sits: before the question, before the options or after them."""
    lines = _question_turn(row).split("\n")
    head = next((i for i, line in enumerate(lines) if line.startswith("Answer choices:")), None)
    if cue is None or head is None or cue not in lines:
        return None
    at = lines.index(cue)
    return "front" if at == 0 else "before_options" if at < head else "after_options"


def _same(row: Example, twin: Example) -> bool:
    """Whether two rows have the same question and target, wherever the stem of the answer stands."""
    if row.kind == "instruct" or twin.kind == "instruct":
        return (row.messages, row.completion) == (twin.messages, twin.completion)
    ours, theirs = (_question_turn(each).split("\n") for each in (row, twin))
    same = {line for line in theirs if _OPTION.match(line)} <= set(ours)
    return same and _said(row).split("(")[-1] == _said(twin).split("(")[-1]


# ---------------------------------------------------------------- all rows


def _mix(rows: Sequence[Example], found: Sequence[Looked]) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    columns: dict[str, list[str | None]] = {"kind": [row.kind for row in rows]}
    for name in ("bias", "form", "stance", "place", "elicit", "source"):
        columns[name] = [getattr(each, name) for each in found]
    columns["stance and form"] = [f"{x.stance} {x.form}" if x.stance and x.form else None for x in found]
    return tuple((k, tuple(sorted(Counter(v for v in column if v).items()))) for k, column in columns.items())


def _agreement(cued: Sequence[Looked]) -> tuple[tuple[str, Rate], ...]:
    groups = [("all", cued)] + [(s, [x for x in cued if x.stance == s]) for s in ("for", "against")]
    return tuple((name, Rate(sum(x.answer == x.cued for x in g), len(g))) for name, g in groups if g)


def _repeated(found: Sequence[Looked]) -> int:
    known = [x.question for x in found if x.question]
    return len(known) - len(set(known))


def _lengths(rows: Sequence[Example], tokens: Callable[[str], int] | None) -> tuple[tuple[str, int, int, int], ...]:
    prompts = ["\n".join(m.content for m in row.messages) for row in rows]
    texts = (("prompt", prompts), ("completion", [row.completion for row in rows]))
    measures: list[tuple[str, Callable[[str], int]]] = [("characters", len)]
    measures += [("tokens", tokens)] if tokens else []
    found = [(f"{name}, {unit}", [count(t) for t in of]) for unit, count in measures for name, of in texts]
    return tuple((name, min(sizes), int(median(sizes)), max(sizes)) for name, sizes in found if sizes)


def _hides(text: str) -> bool:
    """Whether a text has characters that cannot be seen."""
    return any(not c.isprintable() and not c.isspace() for c in text)


def _overlap(rows: Sequence[Example], test: Iterable[Question]) -> tuple[str, ...]:
    """Rows that hold the stem of a test question (as words), and its options too where the stem is short."""
    stems: dict[tuple[str, ...], list[Question]] = {}
    for question in test:
        stems.setdefault(words(question.stem), []).append(question)
    sizes = sorted({len(stem) for stem in stems})
    return tuple(f"row {i}: {q.source} {q.id}" for i, row in enumerate(rows, 1) for q in _held(row, stems, sizes)[:1])


def _held(row: Example, stems: dict[tuple[str, ...], list[Question]], sizes: Sequence[int]) -> list[Question]:
    """Test questions that a row holds; a stem is looked for where a line of the prompt begins."""
    found: list[Question] = []
    for message in row.messages:
        lines = [line for line in message.content.split("\n") if visible(line)]
        whole = set(words(message.content))
        for i in range(min(len(lines), LOOKED_INTO)):
            said = words(" ".join(lines[i:]))
            for question in (q for size in sizes for q in stems.get(said[:size], ())):
                options = (w for option in question.options for w in words(option))
                if len(words(question.stem)) >= LONG_STEM or whole.issuperset(options):
                    found.append(question)
    return found


def _samples(rows: Sequence[Example], seed: int) -> tuple[tuple[int, str, str], ...]:
    chosen = sorted(rng(seed, "audit sample").sample(range(len(rows)), min(SAMPLES, len(rows))))
    prompts = ("\n".join(f"{m.role}: {m.content}" for m in rows[i].messages) for i in chosen)
    return tuple((i + 1, escaped(p), escaped(rows[i].completion)) for i, p in zip(chosen, prompts, strict=True))


def _counts(found: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{escaped(what, 80)} {n}" for what, n in found)
