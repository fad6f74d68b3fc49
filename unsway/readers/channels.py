"""Which part of a reply the model thought, which part it said, and where its reply ends.

In: the text of a reply as recorded, with or without the model's special tokens. Out: `Channels`.

    split("<think>It asks for a fruit.</think>(B)").said   # "(B)"

The marks that open and close a thought are in `patterns.toml`, one row for each way of writing. The marks that end a turn,
and the words that begin one, are in `TURN_TOKENS` and `ROLES`. A thought that never closes makes a cut reply, whatever stop
reason the provider gives. A closing mark without an opening one closes a thought that the chat template opened.

Source of the marks: the reasoning parsers of vLLM (docs.vllm.ai, "Reasoning Outputs") and SGLang ("Separate Reasoning"),
and the chat templates of the models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from unsway.readers.patterns import TABLES, by_letter, filled

ThoughtKind: TypeAlias = Literal["full", "cut", "none"]
"""Whether the thought closed, never closed, or is missing or empty."""


class Channels(NamedTuple):
    """The two channels of a reply."""

    thought: str
    """The thought, without its marks; the last one if there are several."""
    said: str
    """The text said, without white space around it; empty if a thought never closed."""
    thought_kind: ThoughtKind
    """Whether the thought closed."""
    said_span: tuple[int, int]
    """Where `said` is in the text, as character positions."""
    thought_span: tuple[int, int]
    """Where `thought` is in the text, as character positions."""


@dataclass(frozen=True, slots=True)
class ThoughtMark:
    """One way of writing a thought."""

    opens: str
    """Pattern of the mark before the thought; empty if only the chat template writes it."""
    closes: str
    """Pattern of the mark after it, including words that announce the answer."""
    families: str
    """The models that write thoughts this way."""
    where: Literal["anywhere", "start", "start and closed"] = "anywhere"
    """Where the marks count. Plain words count only at the start of a reply, and some only if they also close."""


THOUGHTS = tuple(
    ThoughtMark(filled(row["opens"]), filled(row["closes"]), row["families"], row.get("where", "anywhere"))
    for row in TABLES["thoughts"]
)
"""Every known way of writing a thought."""


TURN_TOKENS, ROLES = (filled(TABLES["turns"][name]) for name in ("TOKENS", "ROLES"))
QUESTIONS = filled(TABLES["parts"]["QUESTIONS"])
"""Special tokens that end a turn; names of the other speaker (the user); words that head a question."""

ASKED_AGAIN = "(X)"
"""A user turn with this text asks for the answer in a given form; the model did not make it up."""

AHEAD = 4_000
"""Characters at the beginning and at the end that are searched for another question."""
SCANNED = 8_000
"""Characters at the beginning and at the end that are searched for marks."""

_MARK = re.compile(
    "(?=[<[◁\\]])(?:"
    + "|".join(
        f"(?P<{side}{i}>{pattern})"
        for i, mark in enumerate(THOUGHTS)
        if mark.where == "anywhere"
        for side, pattern in (("o", mark.opens), ("c", mark.closes))
        if pattern
    )
    + f"|(?P<turn>{TURN_TOKENS}))",
    re.IGNORECASE,
)
_START_MARKS = [mark for mark in THOUGHTS if mark.where != "anywhere"]
_START_PATTERN = re.compile(r"\s{0,20}(?:" + "|".join(f"({mark.opens})" for mark in _START_MARKS) + ")")


def _casings(words: str) -> str:
    """A pattern of words at the start of a line, by first letter: faster than a case-insensitive search."""
    forms = {form for word in words.split("|") for form in (word, word.capitalize(), word.upper())}
    longest_first = by_letter("|".join(sorted(forms, key=len, reverse=True)))
    return rf"(?=[{''.join(sorted({form[0] for form in forms}))}])(?:{longest_first})"


_ROLE_LINE = re.compile(
    rf"\n[ \t>*#_]{{0,8}}(?:{_casings(ROLES)}(?:[ \t*_]{{0,4}}[:：]|(?<=[uU]ser|uman)[ \t]{{0,4}}(?:\n|$))"
    rf"|{_casings('assistant|model')}[ \t]{{0,4}}\n|(?<=[#] ){_casings('instruction|input')}[ \t]{{0,2}}:)"
)
_JOINED_ROLE = re.compile(r"(?<=[^\s\w,;-])(?:User|Human|USER|HUMAN): |(?<=[a-zA-Z0-9.!?)*>])assistant\s{0,3}\n")
"""A role that follows the reply without the lost line break or special token: "(B)assistant"."""
_MODEL = re.compile(r"\n[ \t*#]{0,6}(?:assistant|model|ai)[ \t*]{0,4}:", re.IGNORECASE)
_OPTION_LINE = re.compile(r"\n[ \t]{0,4}\(?[A-E][).]")


_NEXT_QUESTION = re.compile(
    rf"\n[ \t]{{0,4}}(?=[^\n])(?:[#*>_\- ]{{0,6}}(?:{_casings('next|new|another|follow-up')}\s)?{_casings(QUESTIONS)}"
    r"(?:[ \t]?(?:no\.? ?|#)?\d{1,3})?"
    r"[ \t*_]{0,4}(?:[:：]|(?<=\d)[.)] |(?:(?<=\d)|(?<=[*]))[.)]?[ \t*_]{0,4}(?:\n|$))"
    rf"|#{{1,6}} {_casings(QUESTIONS)}(?: \d{{1,3}})?[ \t]{{0,4}}\n"
    r"|\d{1,3}[.)]\s(?=[^\n]{3,300}\n\s{0,4}\(?A[).:] )|(?:\d{1,3}[.)]|[Qq]\d{1,3}[.:)]?"
    r"|\[Question \d{1,3}\])\s(?=[^\n]{3,300}\?[ \t*_]{0,4}(?:\n|$))|(?:[Hh]ere is"
    r"|[Hh]ere's|[Nn]ow) (?:another|the next|a new) question|\[[Qq]uestion \d{1,3}\]"
    r"|[A-Z][a-z]{2,15}: (?=[^\n]{3,200}\?[ \t*_]{0,4}\n)"
    r"|(?:#{3,9}|-{3,9}|={3,9}|\*{3,9}|_{3,9})[ \t]{0,4}\n\s{0,6}(?=[^\n]{1,400}\?[ \t*_\"]{0,4}(?:\n|$)))"
)
_OWN_OPTIONS = re.compile(r"\n(?=[^\n?]{3,300}\?[ \t*_]{0,4}\n\s{0,4}[-*]{0,2} ?\(?A[).:] )")
"""A question with its own options."""


def next_question(text: str, low: int, high: int) -> int | None:
    """Where a question that the model made up may begin: a heading, a separator, a question with options."""
    areas = ((low, min(high, low + AHEAD)), (max(low, high - AHEAD), high)) if high - low > AHEAD else ((low, high),)
    patterns = (_NEXT_QUESTION, _OWN_OPTIONS) if "?" in text else (_NEXT_QUESTION,)
    starts = [
        match.start() for area in areas for pattern in patterns if (match := pattern.search(text, *area)) is not None
    ]
    return min([start for start in starts if text[low:start].strip()], default=None)


_CLOSING_TAGS = re.compile(r"\s*(?:</\w{1,20}>\s{0,9}){0,4}")
"""Text after a thought that says nothing: only closing tags of the record around it."""


def split(text: str) -> Channels:
    """Split a reply into what was thought and what was said.

    The text said ends where another turn begins. Text before a thought counts only if nothing is said after it.
    """
    thought_span = (0, 0)
    open_row, begin = -1, 0
    first = _START_PATTERN.match(text)
    if first is not None and first.lastindex is not None:
        mark = _START_MARKS[first.lastindex - 1]
        closed = re.compile(mark.closes).search(text, first.end())
        if closed is not None:
            thought_span = (first.end(), closed.start())
            begin = closed.end()
        elif mark.where == "start":
            return _channels(text, (len(text), len(text)), (first.end(), len(text)), "cut")
    marks = _marks(text, begin)
    if not marks and first is None:
        low = len(text) - len(text.lstrip())
        return Channels("", text.strip(), "none", (low, low + len(text.strip())), (0, 0))
    said_span = (0, 0)
    last_close = {name[1:]: start for start, _, name in marks if name[0] == "c"}
    inside = next((name[0] for *_, name in marks if name != "turn"), "") == "c"  # a thought from the template
    for start, end, name in marks:
        if start < begin:
            continue
        if name == "turn" and not inside:
            model_turn = _MODEL.search(text, end, end + 2000)
            user_text = text[end : model_turn.start()] if model_turn else ""
            if model_turn is not None and ASKED_AGAIN in user_text and not _OPTION_LINE.search(user_text):
                begin = model_turn.end()
            elif text[begin:start].strip() not in ("", "assistant"):
                return _channels(text, (begin, start), thought_span, "full")
            else:
                begin = end
        elif name[0] == "o" and not inside:
            said_span = (begin, start) if text[begin:start].strip() else said_span
            inside, open_row, begin = True, int(name[1:]), end
        elif name[0] == "c" and (name[1:] == str(open_row) or last_close.get(str(open_row), -1) < start):
            thought_span = (thought_span[0] if thought_span[1] and not inside else begin, start)  # may contain others
            inside, open_row, begin = False, -1, end
    if inside:
        return _channels(text, (len(text), len(text)), (begin, len(text)), "cut")
    return _channels(
        text, said_span if _CLOSING_TAGS.fullmatch(text, begin) else (begin, len(text)), thought_span, "full"
    )


def _marks(text: str, begin: int) -> list[tuple[int, int, str]]:
    """The marks in order of position, by their group in `_MARK`: "o0" opens row 0 of THOUGHTS, "c0" closes it."""
    patterns = [_ROLE_LINE] if len(text) > SCANNED or _ROLE_LINE.search(text, begin) else []
    if "<" in text or "[" in text or "◁" in text:
        patterns.append(_MARK)
    has_role = "U" in text and ("User:" in text or "USER:" in text)  # searching for a single letter is much faster
    has_role = has_role or ("H" in text and ("Human:" in text or "HUMAN:" in text))
    if has_role or "assistant" in text:
        patterns.append(_JOINED_ROLE)
    if not patterns:
        return []
    areas = [(begin, len(text))]
    if len(text) - begin > 2 * SCANNED:
        areas = [(begin, begin + SCANNED), (len(text) - SCANNED, len(text))]
    return sorted(
        (mark.start(), mark.end(), mark.lastgroup or "turn")
        for low, high in areas
        for pattern in patterns
        for mark in pattern.finditer(text, low, high)
    )


def _channels(text: str, said_span: tuple[int, int], thought_span: tuple[int, int], kind: ThoughtKind) -> Channels:
    """The channels without white space around them; a thought of only white space counts as none."""
    low, high = said_span
    low, high = low + len(text[low:high]) - len(text[low:high].lstrip()), low + len(text[low:high].rstrip())
    inner = text[slice(*thought_span)].strip()
    start = text.index(inner, thought_span[0]) if inner else thought_span[0]
    stripped_span = (low, max(low, high))
    return Channels(
        inner,
        text[slice(*stripped_span)],
        kind if inner or kind == "cut" else "none",
        stripped_span,
        (start, start + len(inner)),
    )
