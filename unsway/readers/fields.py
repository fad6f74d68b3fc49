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
    offset = reply.high - len(text)
    spans: dict[int, tuple[int, int]] = {}
    for match in islice(marks.FIELD.finditer(text), MOST) if "<" in text or "=" in text or ":" in text else ():
        value = segment(reply.text, offset + match.start("value"), offset + match.end("value"))
        start = offset + match.start()
        before = segment(reply.text, max(reply.line_start(start), start - REACH), start)
        key = (match["key"] or match["tag"] or match["attribute"] or "").lower().replace("_", " ")
        option_text = reply.want.at(value.low, 0)
        option = (
            ord(value.low) - ord("a")
            if len(value.low) == 1 and value.text.isupper()
            else option_text and option_text[0]
        )
        if option is None or (option_text and option_text[1] < len(value.low)) or not 0 <= option < reply.want.n:
            continue
        if (
            len(key) != 1
            and (key == "label" or not who.GIVES_AWAY.search(key))
            and stance(before.low, len(before.low)) == OWN
        ):
            spans[option] = span(value, 0, len(value.text))
    arrows = list(marks.ARROW.finditer(text)) if not spans else []
    if len(arrows) == 1:
        begin, end = text.rfind("\n", 0, arrows[0].start()) + 1, text.find("\n", arrows[0].end())
        line = segment(reply.text, offset + begin, offset + (end if end >= 0 else len(text)))
        # the letter at the start of the line, as in a list
        heads = {option for start, option in reply.heads if start == line.start and option < reply.want.n}
        spans = {option: span(line, 0, len(line.text)) for option in left_by(line, reply.want) | heads}
    if len(spans) != 1:
        return None
    ((option, bounds),) = spans.items()
    return Claim(option, "field", bounds, WEAK)


def own_fields(data: Data) -> list[Field]:
    """The model's own fields: not under keys such as "alternatives" or "user", and not an index, which may start at 0."""
    return [
        field
        for field in data.fields
        if not any(map(who.OTHERS_KEY.search, field.keys)) and field.keys[-1].split()[-1:] not in INDEXES
    ]


def calls_itself_wrong(reply: ReplyLayout, data: Data, answer: Field) -> bool:
    """Whether the object around a field calls its answer wrong: `{"is_correct": false, "answer": "A"}`."""
    siblings = (field for field in data.fields if field.holder == answer.holder)
    return any(
        marks.CALLED_WRONG_IN_DATA.fullmatch(
            f"{field.keys[-1]}: {reply.text[field.value : min(field.end, field.value + 20)]}"
        )
        for field in siblings
    )


def answers_by_level(own: list[Field]) -> list[list[Field]]:
    """The short fields whose key announces the answer, grouped by depth; none if there are too many."""
    levels: dict[int, list[Field]] = {}
    for field in own:
        is_answer = by_place.ANSWER_KEY.search(field.keys[-1]) or (
            len(field.keys) > 1 and field.keys[-1] in VALUES and by_place.ANSWER_KEY.search(field.keys[-2])
        )
        if is_answer and field.end - field.value <= MOST_CHARACTERS:
            levels.setdefault(len(field.keys), []).append(field)
    lengths = [field.end - field.value for level in levels.values() for field in level]
    return [levels[depth] for depth in sorted(levels)] if len(lengths) <= MOST and sum(lengths) <= MOST_ANSWERS else []


def says_none(reply: ReplyLayout, answer: Field) -> bool:
    """Whether an answer's value says that there is no answer."""
    return marks.NO_VALUE.fullmatch(reply.text, answer.value, answer.end) is not None


def alone(reply: ReplyLayout, answer: Field) -> ReplyLayout:
    """The field of an answer, as its own reply."""
    text = "".join(_pieces(reply, answer))
    return ReplyLayout(text, 0, len(text), reply.want)


def _pieces(reply: ReplyLayout, answer: Field) -> tuple[str, str]:
    """An answer's key, and its value with the closing text. A JSON key is replaced by `NAMED`, padded to the same length."""
    key = reply.text[answer.start : answer.value]
    closes = marks.CLOSES_FIELD.match(reply.text, answer.end, reply.high)
    name = f'"{NAMED}": '.rjust(len(key)) if marks.KEY_OF_JSON.fullmatch(key) else key
    return name if len(name) == len(key) else key, reply.text[answer.value : closes.end() if closes else answer.end]


def showing(reply: ReplyLayout, data: Data, visible: list[Field], hidden: list[Field]) -> ReplyLayout:
    """A reply in which the data shows only some of its fields; the rest is blanked out.

    For JSON and YAML, only the `visible` fields are shown if there are any; otherwise all except the `hidden` ones.
    """
    text, low, high = reply.text, reply.low, reply.high
    replacements = [(field.start, " " * (field.end - field.start)) for field in hidden if field not in visible]
    if visible and data.form != "xml":
        visible_pieces = [(field.start, "".join(_pieces(reply, field))) for field in visible]
        low = low if text[low : data.start].strip("`json\n ") else visible_pieces[0][0]
        high = high if text[data.end : high].strip("`\n ") else visible_pieces[-1][0] + len(visible_pieces[-1][1])
        replacements = []
        position = data.start
        for start, new_text in (*visible_pieces, (data.end, "")):
            replacements += (position, " " * (start - position)), (start, new_text)
            position = start + len(new_text)
    pieces = list[str]()
    position = 0
    for start, new_text in sorted(replacements):
        pieces += text[position:start], new_text
        position = start + len(new_text)
    return ReplyLayout("".join((*pieces, text[position:])), low, high, reply.want)
