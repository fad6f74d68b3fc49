"""An answer given as data: a field of JSON, an element or attribute of XML, or the only line with an arrow.

In: a `ReplyLayout`. Out: a `Claim`, or None if no field consists of an option, or fields of several options do.
"""

from __future__ import annotations

from itertools import islice

from unsway.readers.claims import WEAK, Claim, span
from unsway.readers.layout import ReplyLayout
from unsway.readers.own_words import left_by
from unsway.readers.patterns import by_place, marks, who
from unsway.readers.speakers import OWN, REACH, stance
from unsway.readers.structure import Data, Field
from unsway.readers.wording import segment

MOST = 40
"""Most fields examined; limits the time for a hostile reply."""
MOST_CHARACTERS = 200
"""Most characters of a value; a longer one is prose, not an answer."""
MOST_ANSWERS = 1000
"""Most characters of all such values together; above it, none is examined. Limits the time too."""
NAMED = "ans"
"""The key that replaces every key of an answer, for reading it as text."""
VALUES = frozenset("value text label id content name".split())
"""Keys for the answer itself when the answer is an object."""
INDEXES = (["index"], ["idx"])


def field(reply: ReplyLayout) -> Claim | None:
    """The option in a field, if no field has a different one; else the line with the only arrow."""
    text = reply.text[max(reply.low, reply.high - 2000) : reply.high]
    at = reply.high - len(text)
    found: dict[int, tuple[int, int]] = {}
    for one in islice(marks.FIELD.finditer(text), MOST) if "<" in text or "=" in text or ":" in text else ():
        whole = segment(reply.text, at + one.start("value"), at + one.end("value"))
        start = at + one.start()
        before = segment(reply.text, max(reply.line_start(start), start - REACH), start)
        key = (one["key"] or one["tag"] or one["attribute"] or "").lower().replace("_", " ")
        named = reply.want.at(whole.low, 0)
        option = ord(whole.low) - ord("a") if len(whole.low) == 1 and whole.text.isupper() else named and named[0]
        if option is None or (named and named[1] < len(whole.low)) or not 0 <= option < reply.want.n:
            continue
        if (
            len(key) != 1
            and (key == "label" or not who.GIVES_AWAY.search(key))
            and stance(before.low, len(before.low)) == OWN
        ):
            found[option] = span(whole, 0, len(whole.text))
    arrows = list(marks.ARROW.finditer(text)) if not found else []
    if len(arrows) == 1:
        begin, end = text.rfind("\n", 0, arrows[0].start()) + 1, text.find("\n", arrows[0].end())
        line = segment(reply.text, at + begin, at + (end if end >= 0 else len(text)))
        # the letter at the start of the line, as in a list
        heads = {option for start, option in reply.heads if start == line.start and option < reply.want.n}
        found = {option: span(line, 0, len(line.text)) for option in left_by(line, reply.want) | heads}
    if len(found) != 1:
        return None
    ((option, place),) = found.items()
    return Claim(option, "field", place, WEAK)


def own_fields(data: Data) -> list[Field]:
    """The model's own fields: not under keys such as "alternatives" or "user", and not an index, which may start at 0."""
    return [
        one
        for one in data.fields
        if not any(map(who.OTHERS_KEY.search, one.keys)) and one.keys[-1].split()[-1:] not in INDEXES
    ]


def calls_itself_wrong(reply: ReplyLayout, data: Data, answer: Field) -> bool:
    """Whether the object around a field calls its answer wrong: `{"is_correct": false, "answer": "A"}`."""
    beside = (one for one in data.fields if one.holder == answer.holder)
    return any(
        marks.CALLED_WRONG_IN_DATA.fullmatch(f"{one.keys[-1]}: {reply.text[one.value : min(one.end, one.value + 20)]}")
        for one in beside
    )


def answers_by_level(own: list[Field]) -> list[list[Field]]:
    """The short fields whose key announces the answer, grouped by depth; none if there are too many."""
    levels: dict[int, list[Field]] = {}
    for one in own:
        names = by_place.ANSWER_KEY.search(one.keys[-1]) or (
            len(one.keys) > 1 and one.keys[-1] in VALUES and by_place.ANSWER_KEY.search(one.keys[-2])
        )
        if names and one.end - one.value <= MOST_CHARACTERS:
            levels.setdefault(len(one.keys), []).append(one)
    long = [one.end - one.value for level in levels.values() for one in level]
    return [levels[depth] for depth in sorted(levels)] if len(long) <= MOST and sum(long) <= MOST_ANSWERS else []


def says_none(reply: ReplyLayout, answer: Field) -> bool:
    """Whether an answer's value says that there is no answer."""
    return marks.NO_VALUE.fullmatch(reply.text, answer.value, answer.end) is not None


def alone(reply: ReplyLayout, answer: Field) -> ReplyLayout:
    """The field of an answer, as its own reply."""
    text = "".join(_pieces(reply, answer))
    return ReplyLayout(text, 0, len(text), reply.want)


def _pieces(reply: ReplyLayout, answer: Field) -> tuple[str, str]:
    """An answer's key, and its value with the closing text. A JSON key is replaced by `NAMED`, padded to the same length."""
    key, closes = reply.text[answer.start : answer.value], marks.CLOSES_FIELD.match(reply.text, answer.end, reply.high)
    told = f'"{NAMED}": '.rjust(len(key)) if marks.KEY_OF_JSON.fullmatch(key) else key
    return told if len(told) == len(key) else key, reply.text[answer.value : closes.end() if closes else answer.end]


def showing(reply: ReplyLayout, data: Data, kept: list[Field], hidden: list[Field]) -> ReplyLayout:
    """A reply in which the data shows only some of its fields; the rest is blanked out.

    For JSON and YAML, only the `kept` fields are shown if there are any; otherwise all except the `hidden` ones.
    """
    text, low, high = reply.text, reply.low, reply.high
    spans = [(one.start, " " * (one.end - one.start)) for one in hidden if one not in kept]
    if kept and data.form != "xml":
        told = [(one.start, "".join(_pieces(reply, one))) for one in kept]
        low = low if text[low : data.start].strip("`json\n ") else told[0][0]
        high = high if text[data.end : high].strip("`\n ") else told[-1][0] + len(told[-1][1])
        spans, seen = [], data.start
        for start, said in (*told, (data.end, "")):
            spans += (seen, " " * (start - seen)), (start, said)
            seen = start + len(said)
    pieces, seen = list[str](), 0
    for start, said in sorted(spans):
        pieces += text[seen:start], said
        seen = start + len(said)
    return ReplyLayout("".join((*pieces, text[seen:])), low, high, reply.want)
