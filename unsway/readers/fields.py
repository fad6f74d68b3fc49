"""An answer as data: a field of a JSON object, an element or attribute of XML, or the one line that an arrow points to.

In: a `ReplyLayout`. Out: a `Claim`, or None where no field, or fields of several options, hold an option and nothing else.
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
"""Fields that are looked at: bounds the time that a hostile reply takes."""
MOST_CHARACTERS = 200
"""Characters of a value beyond which it is prose and no answer."""
MOST_ANSWERS = 1000
"""Characters of all such values beyond which none is looked at: the same."""
NAMED = "ans"
"""What every key of an answer is read as."""
VALUES = frozenset("value text label id content name".split())
"""Keys of what an answer is, where it is an object of its own."""
INDEXES = (["index"], ["idx"])


def field(reply: ReplyLayout) -> Claim | None:
    """The option that a field holds, if no other field holds another; else the line with the only arrow."""
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
        # the letter with which the line begins, as a line of a list does
        heads = {option for start, option in reply.heads if start == line.start and option < reply.want.n}
        found = {option: span(line, 0, len(line.text)) for option in left_by(line, reply.want) | heads}
    if len(found) != 1:
        return None
    ((option, place),) = found.items()
    return Claim(option, "field", place, WEAK)


def own_fields(data: Data) -> list[Field]:
    """The fields that are not another's ("alternatives", "user"), and no place by its index, which may count from 0."""
    return [
        one
        for one in data.fields
        if not any(map(who.OTHERS_KEY.search, one.keys)) and one.keys[-1].split()[-1:] not in INDEXES
    ]


def calls_itself_wrong(reply: ReplyLayout, data: Data, answer: Field) -> bool:
    """Whether what holds a field says that its answer is wrong: `{"is_correct": false, "answer": "A"}`."""
    beside = (one for one in data.fields if one.holder == answer.holder)
    return any(
        marks.CALLED_WRONG_IN_DATA.fullmatch(f"{one.keys[-1]}: {reply.text[one.value : min(one.end, one.value + 20)]}")
        for one in beside
    )


def answers_by_level(own: list[Field]) -> list[list[Field]]:
    """The short fields whose key says that they hold the answer, by how deep they stand; none where they are too many."""
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
    """Whether the value of an answer is that there is none."""
    return marks.NO_VALUE.fullmatch(reply.text, answer.value, answer.end) is not None


def alone(reply: ReplyLayout, answer: Field) -> ReplyLayout:
    """The field of an answer as a reply of its own."""
    text = "".join(_pieces(reply, answer))
    return ReplyLayout(text, 0, len(text), reply.want)


def _pieces(reply: ReplyLayout, answer: Field) -> tuple[str, str]:
    """The key of an answer and its value with what closes it; a key of JSON in the words of any other, as long as it was."""
    key, closes = reply.text[answer.start : answer.value], marks.CLOSES_FIELD.match(reply.text, answer.end, reply.high)
    told = f'"{NAMED}": '.rjust(len(key)) if marks.KEY_OF_JSON.fullmatch(key) else key
    return told if len(told) == len(key) else key, reply.text[answer.value : closes.end() if closes else answer.end]


def showing(reply: ReplyLayout, data: Data, kept: list[Field], hidden: list[Field]) -> ReplyLayout:
    """A reply whose data say no more than some of its fields; what is left out is blank.

    Of JSON and YAML only those that are `kept` are shown, where there are any; else all but those that are `hidden`.
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
