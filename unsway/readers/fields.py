"""An answer as data: a field of a JSON object, an element or attribute of XML, or the one line that an arrow points to.

In: a `ReplyLayout`. Out: a `Claim`, or None where no field, or fields of several options, hold an option and nothing else.
"""

from __future__ import annotations

from itertools import islice

from unsway.readers.claims import WEAK, Claim, span
from unsway.readers.layout import FENCE, ReplyLayout
from unsway.readers.own_words import left_by
from unsway.readers.patterns import marks, who
from unsway.readers.speakers import OWN, REACH, stance
from unsway.readers.wording import segment

MOST_JSON = 4000
"""Characters of a JSON object beyond which it is read as any other text."""
MOST_LEVELS = 4
"""Levels of a JSON object that are read one after the other, the last with all below it."""
MOST = 40
"""Fields that are looked at: bounds the time that a hostile reply takes."""


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


def as_json(reply: ReplyLayout) -> list[ReplyLayout]:
    """A reply that is, or ends with lines or a block of code that are, one JSON object: its levels, from the top to all.

    What is left out is blank: a place by its index, because some count from 0. Empty for another reply.
    """
    text = reply.text[max(reply.low, reply.high - MOST_JSON) : reply.high]
    end = len(text.rstrip("`\n "))
    start = text.find("{", text.rfind(FENCE, 0, end) + 1) if end < len(text) else f"\n{text}".find("\n{")
    if text[start : start + 1] != "{" or text[end - 1 : end] != "}":
        return []
    text = marks.PLACE_IN_JSON.sub(lambda m: " " * len(m[0]), text)
    depth, seen = 0, 0
    pieces: list[tuple[int, str]] = []
    """The text between brackets, with how deep it is; a bracket is as deep as what it holds."""
    for found in marks.QUOTED_OR_BRACKET.finditer(text, start, end):
        opens, closes = found[0] in "{[", found[0] in "}]"
        if opens or closes:
            cut = found.end() if closes else found.start()
            pieces.append((depth, text[seen:cut]))
            depth, seen = depth + opens - closes, cut
        if not depth and found.end() < end:
            return []
    if depth:
        return []
    levels = range(1, min(MOST_LEVELS, max(deep for deep, _ in pieces)))
    texts = [
        "".join(one if deep <= level else " " * len(one) for deep, one in pieces) + text[seen:] for level in levels
    ]
    before, behind = reply.text[: reply.high - len(text)], reply.text[reply.high :]
    return [ReplyLayout(before + one + behind, reply.low, reply.high, reply.want) for one in (*texts, text)]
