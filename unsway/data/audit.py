"""Shows the content of a training file to people, before anything is trained on it.

In: rows, the files next to them (their pairs and provenance), a control, test questions. Out: a `TrainingAudit`.
Our rows record how they were made: the target, both prompts and the pair are read, never guessed. A chat from elsewhere
records none of that, so form, place and stance are "not known". Its question, options and answer are read if its prompt
lists options, and a control file is matched with it line by line.
Source: arXiv 2403.05518, §3: cues for and against, by letter and quoted, evenly; at many places; the target agrees with the
cued option about as often as chance; the control has the same targets row by row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from unsway import sources
from unsway.data.foreign import read_examples
from unsway.data.provenance import Beside, read_beside
from unsway.errors import BadInput, number_of
from unsway.models.weights import locate
from unsway.readers.parse import read
from unsway.registry import Ref
from unsway.seeds import rng
from unsway.sources.checks import LONG_STEM, visible, words
from unsway.stats.intervals import wilson
from unsway.types import Example, Message, Question

SAMPLES = 10
"""Number of rows printed."""
SHOWN = 500
"""Most characters of a prompt or completion in a printed row."""
LINES_SEARCHED = 50
"""Most lines of a turn at which a test question may begin."""
LIST = "Answer choices:"
"""The line above the options in a prompt: in our prompts, and in those released with the paper."""
UNKNOWN = "not known"
"""The value counted if a row does not say."""
_OPTION = re.compile(r"^\(([A-Z])\) ?(.*)$", re.MULTILINE)
_OPEN_BRACKET = re.compile(r"(?<![^\n])[^\n]*\($")


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval (Wilson); fractions."""

    hits: int
    """Rows that have the property."""
    n: int
    """Rows counted."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Low and high ends; None if nothing was counted."""
        if not self.n:
            return None
        low, high = wilson(self.hits, self.n)
        return low, high

    def text(self) -> str:
        """The share, for people."""
        low, high = self.interval or (0.0, 1.0)
        share = f"{100 * self.hits / self.n:.1f} % ({self.hits} of {self.n}"
        return f"{share}; 95 % interval {100 * low:.1f} to {100 * high:.1f})"


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What one row records; None if it does not."""

    messages: tuple[Message, ...]
    """Its prompt, with the cue if it has one."""
    question: str | None
    """A key that identifies its question."""
    options: tuple[str, ...]
    """The options shown."""
    answer: int | None
    """Index of the option to which its completion commits."""
    cued: int | None
    """Index of the option that its cue is about."""
    counted: dict[str, str | None]
    """The counted properties: bias, form, stance, place, elicit, source. Our instruct rows have only source."""


@dataclass(frozen=True, slots=True)
class TrainingAudit:
    """A training file in numbers. Lengths in characters unless said otherwise; counts as (what, number) pairs."""

    n: int
    """The number of rows."""
    mix: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    """For each of kind, bias, form, stance, place, elicit and source: each value with its number of rows."""
    agreement: tuple[tuple[str, Rate], ...]
    """How often the target's answer is the cued option: overall, and by stance."""
    chance: float | None
    """The expected agreement if the cued option were drawn from all: the mean of one over the number of options."""
    letters: tuple[tuple[str, int], ...]
    """Answers by letter."""
    unread: int
    """Rows with options but no readable answer."""
    duplicates: int
    """Rows whose prompt and completion occurred before."""
    repeated_questions: int
    """Rows whose question occurred before."""
    lengths: tuple[tuple[str, int, int, int], ...]
    """For each text: its name, and the least, median and greatest length."""
    hidden: int
    """Rows with invisible characters: control, zero-width or direction marks."""
    overlap: tuple[str, ...] | None
    """Rows (from 1) that contain a test question, with its id; None if no test questions were given."""
    paired: tuple[int, int] | None
    """Number of rows that match their control, and number of all rows. Our rows match if both prompts differ only by the cue,
    others if the control file has the same options and answer. None without a control."""
    same_completion: int | None
    """Rows whose completion is identical to the control's."""
    samples: tuple[tuple[int, str, str], ...]
    """Row (from 1), prompt and completion, escaped."""

    def lines(self) -> tuple[str, ...]:
        """The audit, for people."""
        rows = [number_of(self.n, "row")]
        rows += [f"{name}: {_counts(counts)}" for name, counts in self.mix if counts]
        rows += [f"target agrees with the cued option ({name}): {rate.text()}" for name, rate in self.agreement]
        rows.append("chance: unknown" if self.chance is None else f"chance: {100 * self.chance:.1f} %")
        if not self.agreement:
            rows[-1] = f"target agrees with the cued option: {UNKNOWN}, since no row says which option its cue names"
        rows.append(f"answers: {_counts(self.letters) or 'none read'}; {self.unread} could not be read")
        rows.append(
            f"duplicates: {number_of(self.duplicates, 'row')}, {number_of(self.repeated_questions, 'repeated question')}"
        )
        rows += [f"{label}: least {low}, median {mid}, greatest {high}" for label, low, mid, high in self.lengths]
        rows.append(f"rows with characters that cannot be seen: {self.hidden}")
        if self.paired is None:
            rows.append("control: not given")
        else:
            n_paired, n = self.paired
            rows.append(f"control: {n_paired} of {n} rows pair; {self.same_completion} completions are identical")
        if self.overlap is None:
            rows.append("overlap with test questions: not checked")
        else:
            rows.append(f"overlap with test questions: {number_of(len(self.overlap), 'row')}")
            rows += [f"  {line}" for line in self.overlap[:5]]
        for number, prompt, completion in self.samples:
            rows += ["", f"row {number}", f"  prompt: {prompt}", f"  completion: {completion}"]
        return tuple(rows)


def audit(
    rows: Sequence[Example],
    *,
    beside: Beside | None = None,
    control: Sequence[Example] | None = None,
    test: Iterable[Question] | None = None,
    tokens: Callable[[str], int] | None = None,
    seed: int = 0,
) -> TrainingAudit:
    """Audit a training file.

    Args:
        rows: The rows.
        beside: Their pairs and provenance (`unsway.data.provenance.read_beside`).
        control: For chats from elsewhere, the matching rows in the same order. Our rows contain their own control.
        test: Questions that must not be trained on.
        tokens: Counts the tokens of a text.
        seed: Seed of the choice of printed rows.

    Raises:
        BadInput: The control has a different number of rows.
    """
    if control is not None and len(control) != len(rows):
        raise BadInput(f"There are {len(rows)} rows and {len(control)} of the control; they must pair row by row.")
    beside = beside or Beside({}, ())
    facts = [_facts(row, beside, i, control[i] if control else None) for i, row in enumerate(rows)]
    completions = [row.completion or "" for row in rows]
    cued = [x for x in facts if x.cued is not None and x.answer is not None]
    by_stance = [("all", cued), *((s, [x for x in cued if x.counted["stance"] == s]) for s in ("for", "against"))]
    answers = Counter(chr(ord("A") + x.answer) for x in facts if x.answer is not None)
    questions = [x.question for x in facts if x.question]

    mix = [("kind", Counter(str(row.kind) for row in rows))]
    for name in ("bias", "form", "stance", "place", "elicit", "source"):
        mix.append((name, Counter(x.counted[name] or UNKNOWN for x in facts if name in x.counted)))
    combinations = [
        (x.counted["stance"], x.counted["form"]) for x in facts if x.counted.get("stance") and x.counted.get("form")
    ]
    mix.append(("stance and form", Counter(f"{stance} {form}" for stance, form in combinations)))

    lengths = []
    for unit, count in (("characters", len), ("tokens", tokens)):
        for label, texts in (
            ("prompt", ["\n".join(m.content for m in x.messages) for x in facts]),
            ("completion", completions),
        ):
            if count is not None and texts:
                sizes = [count(text) for text in texts]
                lengths.append((f"{label}, {unit}", min(sizes), int(median(sizes)), max(sizes)))

    def has_invisible(text: str) -> bool:
        return any(not c.isprintable() and not c.isspace() for c in text)

    paired, n_identical = _pairing(rows, control)
    samples = []
    for i in sorted(rng(seed, "audit sample").sample(range(len(rows)), min(SAMPLES, len(rows)))):
        prompt = "\n".join(f"{m.role}: {m.content}" for m in facts[i].messages)
        samples.append((i + 1, escaped(prompt), escaped(completions[i])))
    return TrainingAudit(
        n=len(rows),
        mix=tuple((name, tuple(sorted(counts.items()))) for name, counts in mix),
        agreement=tuple(
            (name, Rate(sum(x.answer == x.cued for x in group), len(group))) for name, group in by_stance if group
        ),
        chance=sum(1 / len(x.options) for x in cued) / len(cued) if cued else None,
        letters=tuple(sorted(answers.items())),
        unread=sum(bool(x.options) and x.answer is None for x in facts),
        duplicates=len(rows) - len({(x.messages, text) for x, text in zip(facts, completions, strict=True)}),
        repeated_questions=len(questions) - len(set(questions)),
        lengths=tuple(lengths),
        hidden=sum(
            any(map(has_invisible, [t, *(m.content for m in x.messages)]))
            for x, t in zip(facts, completions, strict=True)
        ),
        overlap=None if test is None else overlap([x.messages for x in facts], test),
        paired=paired,
        same_completion=n_identical,
        samples=tuple(samples),
    )


def audit_file(
    path: str | Path,
    *,
    control: str | Path | None = None,
    test: Iterable[str] = (),
    tokenizer: str | None = None,
    seed: int = 0,
) -> TrainingAudit:
    """Audit a file of rows, ours or chats from elsewhere; this is `unsway data inspect`.

    Args:
        path: The file; pairs and provenance next to it are read too.
        control: For chats from elsewhere, the file that matches it row by row.
        test: Names of sources, or files, that must not be trained on.
        tokenizer: A local model; its tokens are counted too.
        seed: Seed of the choice of printed rows.
    """
    encode = locate(tokenizer).tokenizer.encode if tokenizer else None
    names = tuple(test)
    return audit(
        read_examples(path),
        beside=read_beside(path),
        control=read_examples(control) if control else None,
        test=[q for name in names for q in sources.load(name)] if names else None,
        tokens=(lambda text: len(encode(text, add_special_tokens=False))) if encode else None,
        seed=seed,
    )


def escaped(text: str, most: int = SHOWN) -> str:
    """A text on one line, cut to a length, with characters escaped that a terminal would act on or not show."""
    cut = text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


# ---------------------------------------------------------------- one row


def _facts(row: Example, beside: Beside, i: int, control: Example | None) -> RowFacts:
    """What a row records, including its pair and provenance if these are available."""
    messages = (row.biased or row.clean).messages()
    pair = beside.pairs.get(row.pair_id or "")
    source = beside.provenance[i].source if beside.provenance else pair.question.source if pair else None
    if row.biased is None:
        turn = _question_turn(control.clean.messages() if control else messages)
        stem, _, below = turn.rpartition(LIST)
        options = tuple(text.strip() for _, text in _OPTION.findall(below)) if stem else ()
        properties: dict[str, str | None] = (
            {} if beside.provenance else dict.fromkeys(("bias", "form", "stance", "place"))
        )
        properties |= {"elicit": None, "source": source} if not beside.provenance else {"source": source}
        answer = read(_full_completion(row), options=options).choice if 1 < len(options) <= 26 else None
        question = " ".join(words(stem)) + " | " + " | ".join(options) if options else None
        return RowFacts(messages, question, options, answer, None, properties)
    stems = [part.text for turn in row.clean.turns for part in turn.parts or () if part.kind == "stem"]
    return RowFacts(
        messages=messages,
        question=pair.question.id if pair else " ".join(words(" ".join(stems))) + " | " + " | ".join(row.options),
        options=row.options,
        answer=read(_full_completion(row), options=row.options).choice,
        cued=row.target.cued if row.target else None,
        counted={
            "bias": Ref.parse(pair.bias).name if pair else None,
            "form": pair.drawn.get("form") if pair else None,
            "stance": row.target.stance if row.target else None,
            "place": row.biased.cue_place(),
            "elicit": Ref.parse(pair.elicit).name if pair else None,
            "source": source,
        },
    )


def _question_turn(messages: Sequence[Message]) -> str:
    """The last user turn that lists options like the paper's prompts, else the last user turn."""
    turns = [m.content for m in messages if m.role == "user"]
    return next((turn for turn in reversed(turns) if LIST in turn), turns[-1] if turns else "")


def _full_completion(row: Example) -> str:
    """The completion, preceded by the opening bracket with which some prompts end ("The best answer is: (")."""
    bracket = _OPEN_BRACKET.search((row.biased or row.clean).messages()[-1].content)
    return (bracket[0] if bracket else "") + (row.completion or "")


# ---------------------------------------------------------------- all rows


def _pairing(rows: Sequence[Example], control: Sequence[Example] | None) -> tuple[tuple[int, int] | None, int | None]:
    """How many rows match their control, out of how many; and how many have an identical completion."""
    if control is None:
        prompts = [(row.clean, row.biased) for row in rows if row.biased is not None]
        n_paired = sum(biased.stripped() == clean.stripped() for clean, biased in prompts)
        return ((n_paired, len(prompts)), len(prompts)) if prompts else (None, None)
    n_paired = 0
    for row, control_row in zip(rows, control, strict=True):
        turns = [_question_turn(example.clean.messages()).split("\n") for example in (row, control_row)]
        ours, theirs = ({line for line in turn if _OPTION.match(line)} for turn in turns)
        if theirs:
            n_paired += (
                theirs <= ours and _full_completion(row).split("(")[-1] == _full_completion(control_row).split("(")[-1]
            )
        else:
            n_paired += (row.clean, row.completion) == (control_row.clean, control_row.completion)
    return (n_paired, len(rows)), sum(a.completion == b.completion for a, b in zip(rows, control, strict=True))


def overlap(prompts: Sequence[tuple[Message, ...]], test: Iterable[Question]) -> tuple[str, ...]:
    """Prompts (from 1) that contain the words of a test question's stem, and for a short stem also those of its options.

    A stem is searched for at the beginning of each of a turn's first lines; the first matching question is named.
    """
    stems: dict[tuple[str, ...], list[Question]] = {}
    for question in test:
        stems.setdefault(words(question.stem), []).append(question)
    sizes = sorted({len(stem) for stem in stems})

    def questions_in(message: Message) -> Iterator[Question]:
        lines = [line for line in message.content.split("\n") if visible(line)]
        message_words = set(words(message.content))
        for i in range(min(len(lines), LINES_SEARCHED)):
            rest = words(" ".join(lines[i:]))
            for question in (q for size in sizes for q in stems.get(rest[:size], ())):
                options = (w for option in question.options for w in words(option))
                if len(words(question.stem)) >= LONG_STEM or message_words.issuperset(options):
                    yield question

    matches = (next((q for message in prompt for q in questions_in(message)), None) for prompt in prompts)
    return tuple(f"row {i}: {q.source} {q.id}" for i, q in enumerate(matches, 1) if q is not None)


def _counts(counts: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{escaped(name, 80)} {n}" for name, n in counts)
