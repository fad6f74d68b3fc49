"""Rubrics: questions about one reply that a judge answers, one per file.

In: a pair, a side and a raw reply. Out: the prompt for a judge, and the value of its reply. The judged reply is
untrusted: each of its lines is prefixed with a bar, so none can pass for an instruction.

    rubrics.get("second_reader").prompt(pair, "biased", reply.text)

To add one, decorate the function that reads the judge's words, in a module here or in your own package through the
entry-point group `unsway.plugins`:

    @rubric("says_sorry", Bank("says_sorry", 1, ("Is this an apology, yes or no? {reply}",)), summary="An apology")
    def value(words, pair, side):
        return {"yes": True, "no": False}.get(words.strip().lower())
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from unsway import biases
from unsway.banks import Bank
from unsway.biases.definition import PLACEHOLDER
from unsway.biases.insert import fill
from unsway.errors import BadInput, expect
from unsway.prompts.render import letter
from unsway.readers.parse import read
from unsway.registry import Ref, Registry
from unsway.types import MissingVerdict, Pair, Part, Prompt, Side, Turn


class Said(NamedTuple):
    """A judge's answer, if it is more than a value."""

    value: bool | int | None
    """Yes or no, or a number; None for the reason in `missing`."""
    quote: str = ""
    """The words of the text that decided."""
    why: str = ""
    """The judge's reason."""
    missing: MissingVerdict = ""
    """Why there is no value."""


Value: TypeAlias = Callable[[str, Pair, Side], bool | int | Said | None]
"""Reads a judge's words; None if they are not in the requested form."""

HEAD, TAIL = 1000, 4000
"""Characters at the head and tail of a long reply that a judge is shown: those that the multiple-choice reader reads."""
LONGEST_OPTION = 1000
"""Maximum characters of an option that a judge is shown."""
LONGEST_PROMPT = 12_000
"""Maximum characters of a prompt that a monitor is shown: enough for a question after a dozen few-shot examples."""
SLOTS = ("reply", "cue", "about", "options", "question", "request", "prompt", "answer")
"""The slots of a wording."""
SHOWS = {"reply", "answer", "prompt"}
"""Slots to judge by, of which a wording needs one: the text, the answer in it, or (a baseline monitor) only the prompt."""
LONGEST_CUE = 1500
"""Maximum characters of a cue that a judge is shown; few-shot examples are longer."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """A question about one reply. Raises `BadInput` if its wording has an unknown slot, or none to judge by."""

    name: str
    """Its name for users."""
    wording: Bank
    """Entry 0 is the judge's prompt. Its slots: {reply}, {cue}, {about} (the kind of cue), {options}, {question} (without the
    cue) and {request}; for a monitor, which is not told about the cue, also {prompt} (as sent) and {answer} (as read in the
    text). There are no slots for the side, the arm or the gold answer."""
    summary: str
    """One line for a person."""
    value: Value = field(repr=False, compare=False)
    """Reads the judge's words."""
    yes_from: int = 1
    """The lowest value that counts as a yes in a rate: marks of coherence count from 4."""
    scale: tuple[int, int] | None = None
    """The lowest and the highest number that a verdict may be; None for yes or no."""
    ordered: bool = True
    """Whether a higher number means more, as for marks; otherwise each number is a category, such as an outcome."""
    backwards: bool = False
    """List the options last to first: a check of the judge, which should not change its verdicts."""
    yes: str = ""
    """One word for a yes if "yes" or a number would be unclear, such as declines."""

    def __post_init__(self) -> None:
        subject = f"The rubric {self.name!r}"
        wording = "\n".join(self.wording.entries[:1])
        slots = set(PLACEHOLDER.findall(wording))
        allowed = f"known are {', '.join(f'{{{slot}}}' for slot in SLOTS)}"
        if slots - set(SLOTS):
            raise BadInput(f"{subject} has the placeholder {{{min(slots - set(SLOTS))}}}; {allowed}.")
        if not slots & SHOWS:
            raise BadInput(f"{subject} shows its judge nothing to judge. Put {{reply}} into its wording; {allowed}.")

    @property
    def versioned(self) -> str:
        """`name@version`; the version is that of its wording."""
        return f"{self.name}@{self.wording.version}"

    @property
    def counts(self) -> str:
        """What counts as a yes in a rate, in words."""
        return self.yes or ("yes" if self.scale is None else f"{self.yes_from} and more")

    @property
    def allowed(self) -> str:
        """The allowed verdicts, in words."""
        return "true or false" if self.scale is None else "a whole number from {} to {}".format(*self.scale)

    @property
    def is_of_cue(self) -> bool:
        """Whether it asks what a text does with its cue."""
        return "{cue}" in self.wording.entries[0]

    def allows(self, value: object) -> bool:
        """Whether a value may be a verdict."""
        if self.scale is None or isinstance(value, bool):
            return self.scale is None and isinstance(value, bool)
        return isinstance(value, int) and self.scale[0] <= value <= self.scale[1]

    def applies(self, pair: Pair) -> bool:
        """Whether it applies to a pair: a question about cues needs words of a cue, a monitor a question with options."""
        wording = self.wording.entries[0]
        if (pair.question.is_request and "{prompt}" in wording) or (
            "{request}" in wording and not pair.question.is_request
        ):
            return False
        return not self.is_of_cue or bool(pair.biased.cue())

    def prompt(self, pair: Pair, side: Side, text: str) -> Prompt:
        """The judge's prompt about a text, which is a reply's answer or its thinking."""
        shown_options = () if pair.question.is_request else shown(pair, side)  # outcomes are never shown
        lines = [f"({letter(i)}) {plain(option)[:LONGEST_OPTION]}" for i, option in enumerate(shown_options)]
        options = "\n".join(reversed(lines) if self.backwards else lines)
        about = ""
        cue = pair.biased.cue()
        if Ref.parse(pair.bias).name in biases.names():
            about = f" ({biases.get(Ref.parse(pair.bias).name).summary})"
        words = {
            "prompt": sent(pair.clean if side == "clean" else pair.biased)
            if "{prompt}" in self.wording.entries[0]
            else "",
            "answer": answered(pair, side, text) if "{answer}" in self.wording.entries[0] else "",
            "reply": barred(text),
            "cue": barred(cue if len(cue) <= LONGEST_CUE else cue[: LONGEST_CUE - 1] + "…"),
            "about": about,
            "options": options,
            "question": barred(f"{pair.question.stem}\n{options}"),
            "request": barred(pair.question.stem),
        }
        return Prompt((Turn("user", (Part("instruction", fill(self.wording.entries[0], **words)),)),))


rubrics: Registry[Rubric] = Registry("rubric", "unsway.judging.rubrics", Rubric)
"""All rubrics, by name."""


def rubric(
    name: str,
    wording: Bank,
    *,
    summary: str,
    yes_from: int = 1,
    scale: tuple[int, int] | None = None,
    ordered: bool = True,
    yes: str = "",
) -> Callable[[Value], Value]:
    """Declare a rubric over a function that reads a judge's words.

    Raises:
        BadInput: The name is taken, the wording is not a `Bank` or shows the judge nothing, or the scale is invalid.
    """
    given: object = wording
    if not isinstance(given, Bank) or not given.entries:
        raise BadInput(f"The rubric {name!r} has the wording {wording!r:.60}; it is a Bank with one entry or more.")
    if scale is not None and not scale[0] < scale[1]:
        raise BadInput(f"The rubric {name!r} has the scale {scale}; it is the lowest number and a higher one: (1, 5).")

    def declare(value: Value) -> Value:
        rubrics.add(name, Rubric(name, wording, summary, value, yes_from, scale, ordered, yes=yes))
        return value

    return declare


names = rubrics.names
"""The names of all rubrics, in alphabetical order."""
get = rubrics.get
"""Return the rubric with a name. Raises `UnknownName` with the closest names."""


def resolve(asked: str | Rubric | Iterable[str | Rubric]) -> tuple[Rubric, ...]:
    """Return rubrics unchanged, and look names up. Raises `UnknownName`."""
    entries = [asked] if isinstance(asked, str | Rubric) or not isinstance(asked, Iterable) else asked
    result = tuple(get(entry) if isinstance(entry, str) else entry for entry in entries)
    for entry in result:
        expect(entry, Rubric, "a rubric is expected, or the name of one: judge(results, 'mentions_cue', by=model)")
    return result


def of_question(question: str) -> Rubric | None:
    """The rubric of a verdict's question, `name@version`; None if it is not installed here."""
    name = Ref.parse(question).name
    return rubrics.get(name) if name in rubrics else None


def shown(pair: Pair, side: Side) -> tuple[str, ...]:
    """The options in the order in which a side shows them."""
    return pair.question.options if side == "clean" else tuple(pair.question.options[i] for i in pair.order)


def sent(prompt: Prompt) -> str:
    """A prompt as sent; if it has several turns, each names its speaker."""
    turns = [(turn.role, turn.text() or "(the model's own words)") for turn in prompt.turns]
    whole = "\n\n".join(f"[{role}]\n{text}" if len(turns) > 1 else text for role, text in turns)
    return barred(whole, LONGEST_PROMPT // 2, LONGEST_PROMPT // 2)


def answered(pair: Pair, side: Side, text: str) -> str:
    """The option that a text commits to, on one line."""
    options = shown(pair, side)
    choice = read(text, **({"options": options} if any(options) else {"n_options": len(options)})).choice
    return (
        "no option that can be read"
        if choice is None
        else f"({letter(choice)}) {plain(options[choice])[:LONGEST_OPTION]}"
    )


def barred(text: str, head: int = HEAD, tail: int = TAIL) -> str:
    """A text with a bar before each line and without control characters; a long text is cut to its head and tail."""
    cut = len(text) - head - tail
    part = text if cut <= 0 else f"{text[:head]}\n[{cut:,} characters are left out here]\n{text[-tail:]}"
    return "\n".join(f"| {plain(line)}" for line in part.strip().splitlines())


def plain(text: str) -> str:
    """The text on one line: line ends and invisible characters become spaces."""
    return "".join(char if char.isprintable() else " " for char in text)
