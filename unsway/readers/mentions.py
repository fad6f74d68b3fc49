"""Letters, numbers and ordinals that name an option, and the words that belong to them.

In: a `Segment`, a position in it and the `KnownOptions`. Out: a `Mention`, or None if the letter there is an article, a
pronoun, a word or part of a name.
"""

from __future__ import annotations

from typing import NamedTuple

from unsway.readers.patterns import TABLES, marks, say
from unsway.readers.wording import KnownOptions, Segment

_WORDS = (*TABLES["parts"]["ORDINAL"].split("|")[:20], *TABLES["parts"]["NUMBER"].split("|"))
PLACES = {word: i % 10 for i, word in enumerate(_WORDS)} | {"last": -1}
"""The index of an option by a word for its place: "third", "3rd", "three"; −1 is the last."""


class Mention(NamedTuple):
    """A letter, number or ordinal that names an option; positions are in the segment."""

    option: int | None
    """None if the question has no such option."""
    start: int
    end: int
    bracketed: bool
    """Whether a bracket closes it: "(b)" or "b)"."""
    marked: bool
    """Whether it is surely a label: in brackets, after a noun, or a capital."""
    placeholder: bool = False
    """Whether it is an X, Y or N that stands for any letter, copied from an instruction."""


def mention_at(seg: Segment, position: int, want: KnownOptions) -> Mention | None:
    """The mention that begins at a position; None for articles, pronouns, words and bare numbers."""
    match = say.MENTION.match(seg.text, position)
    if match is None:
        return None
    if match["ref"] is None:
        group = next(group for group in ("ordinal", "place", "number") if match[group])
        return Mention(placed(match[group], want.n), match.start(group), match.end(), False, True)
    ref, noun, bracketed = match["ref"], bool(match["noun"]), match["close"] is not None
    option = int(ref) - 1 if ref.isdigit() else ord(ref.lower()) - ord("a")
    if ref.isdigit() and not noun:
        return None
    if not (bracketed or noun or _stands_alone(seg, match.end("ref"), ref, option, want)):
        return None
    start, end = match.start("ref"), match.end()
    start -= seg.text[start - 1 : start] == "("
    inside = 0 <= option < want.n
    marked = bracketed or noun or ref.isupper()
    return Mention(option if inside else None, start, end, bracketed, marked, not inside and ref in "XxYyNn")


def placed(word: str, n: int) -> int | None:
    """The option at a place among n: "third", "3rd", "three", "last"."""
    option = PLACES[word.lower()]
    return option % n if option < n else None


def _stands_alone(seg: Segment, end: int, ref: str, option: int, want: KnownOptions) -> bool:
    """Whether a letter without bracket or noun is a label and not an article, a pronoun or the first word of a name."""
    if marks.ALONE.match(seg.low, end):
        return True
    if ref.islower():
        return False
    if (
        marks.COLON.match(seg.low, end)
        or marks.IN_SCRIPT.match(seg.low, end)
        or (ref != "I" and marks.ON.match(seg.low, end))
    ):
        return True
    if ref not in "AI" and marks.ON_LONGER.match(seg.low, end):
        return True
    named = want.at(seg.low, end + (seg.low[end : end + 1] == "."))
    return named is not None and named[0] == option


def words_after(seg: Segment, mention: Mention, want: KnownOptions) -> tuple[int | None, int] | None:
    """The option whose words follow a mention ("B. photosynthesis"), and the position where they end."""
    skip = (marks.TO_TEXT_BRACKETED if mention.bracketed else marks.TO_TEXT).match(seg.low, mention.end)
    if skip is None:
        return None
    signed = want.at(seg.low, skip.end() - 1) if seg.low[skip.end() - 1] == "-" else None
    return signed or want.at(seg.low, skip.end(), dash=True)


def joined(seg: Segment, end: int, option: int | None, want: KnownOptions) -> int | None:
    """The end of another option named together with this one: "(B) or (C)", "A and C", "A/B"; None if there is none."""
    join = say.JOIN.match(seg.low, end)
    if join is None:
        return None
    mention = mention_at(seg, join.end(), want)
    if mention is None:
        option_text = want.at(seg.low, join.end()) if join["word"] else None
        apart = option_text is None or option_text[0] == option or say.GOES_ON.match(seg.low, option_text[1])
        return None if apart or option_text is None else option_text[1]
    if mention.option == option or say.REFUTED.match(seg.low, mention.end):
        return None
    if join["comma"]:
        return mention.end if say.AFTER_COMMA.match(seg.low, mention.end) else None
    alone = say.GOES_ON.match(seg.low, mention.end)
    return mention.end if alone is None or "or" in (join["word"] or "") or " are" in alone[0] else None
