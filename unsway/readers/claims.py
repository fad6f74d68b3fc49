"""What one sentence of a reply says about the answer.

In: a `Segment` and the `KnownOptions`. Out: the sentence's last `Claim`, or None if it commits to nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from unsway.readers.mentions import Mention, joined, mention_at, words_after
from unsway.readers.patterns import by_place, marks, say
from unsway.readers.wording import KnownOptions, Segment
from unsway.types import Reading, Status

STRONG, WEAK, HEDGED, VOID, REPORTED = 2, 1, 0, -1, -2
"""Strength of a claim: a plain commitment; "X is correct", which may hold for several options; "it could be X"; an announced
answer that names no option; another speaker's answer."""


FIRM = frozenset({"answer", "boxed", "agree", "foreign", "points"})
"""Frames that announce an answer whatever follows it; with the others, the clause must end after the answer."""


class Claim(NamedTuple):
    """What one phrase says about the answer."""

    choice: int | None
    rule: str
    span: tuple[int, int]
    """Its position in the reply."""
    strength: int = STRONG
    status: Status = "ok"

    def answer(self) -> Reading:
        """The claim as a reading of the whole reply."""
        return Reading(self.choice, self.status, self.rule, self.span)


def claimed(
    seg: Segment, choice: int | None, rule: str, start: int, end: int, status: Status = "ok", strength: int = STRONG
) -> Claim:
    """A claim for the text between two positions of a segment."""
    return Claim(choice, rule, (seg.start + start, seg.start + end), strength, status)


def announces(seg: Segment) -> bool:
    """Whether a sentence mentions an answer, the model's or someone else's."""
    return any(phrase.lastgroup == "answer" for phrase in say.FRAME.finditer(seg.low))


def both(later: Claim | None, earlier: Claim) -> Claim:
    """The later of two claims if they agree or only one exists; else a conflict."""
    if later is None or (later.choice, later.status) == (earlier.choice, earlier.status):
        return later or earlier
    return later._replace(choice=None, rule="conflict", status="ambiguous")


def claim_after(seg: Segment, position: int, want: KnownOptions, rule: str, strength: int = STRONG) -> Claim | None:
    """The claim that begins exactly at a position: by letter, by words, or by a bracketed letter after other words."""
    mention = mention_at(seg, position, want)
    option_text = None if mention and mention.bracketed else want.at(seg.low, position)
    if mention and option_text:
        if option_text[1] > mention.end or mention.option is None:
            mention = None
        elif option_text[0] != mention.option:
            return torn(seg, mention.start, option_text[1], "letter_against_text", strength)
    if mention:
        return by_letter(seg, mention, want, rule, strength)
    if option_text:
        return by_words(seg, position, option_text, want, rule, strength)
    if rule == "boxed":
        return by_number(seg, position, want, strength)
    return by_late_letter(seg, position, want, rule, strength) if rule in ("answer", "first") else None


def by_letter(seg: Segment, mention: Mention, want: KnownOptions, rule: str, strength: int) -> Claim | None:
    """The claim of a mention after a frame."""
    if mention.placeholder or (mention.option is None and not mention.marked):
        return None
    is_last = seg.ends_at(mention.end)
    words = None if is_last else words_after(seg, mention, want)
    end = words[1] if words else mention.end
    refuted = not is_last and say.REFUTED.match(seg.low, end) is not None
    if rule == "answer" and not is_last:
        refuted = say.REFUTED_LATE.match(seg.low, end) is not None or (refuted and not mention.bracketed)
    if refuted:
        return None
    second_end = None if is_last else joined(seg, end, mention.option, want)
    if rule not in FIRM and not _closes(seg, second_end or end, rule) and not (second_end and rule == "first"):
        return None
    if mention.option is None:
        return Claim(None, "no_such_option", span(seg, mention.start, mention.end), strength, "unparsed")
    if words and words[0] not in (None, mention.option):
        return torn(seg, mention.start, end, "letter_against_text", strength)
    either = not is_last and say.EITHER.search(seg.low[max(0, mention.start - 14) : mention.start])
    later_mentions = (
        (mention_at(seg, match.start(), want) for match in say.LOOSE.finditer(seg.text, mention.end)) if either else ()
    )
    if second_end or any(rival is not None and rival.option != mention.option for rival in later_mentions):
        return torn(seg, mention.start, second_end or end, "several", strength)
    return Claim(mention.option, rule, span(seg, mention.start, mention.end), strength)


def by_words(
    seg: Segment, position: int, option_text: tuple[int | None, int], want: KnownOptions, rule: str, strength: int
) -> Claim | None:
    """The claim of an option's words after a frame."""
    option, end = option_text
    if say.REFUTED.match(seg.low, end) or (rule not in FIRM and say.GOES_ON.match(seg.low, end)):
        return None
    if rule in ("so", "correction", "but") and seg.low[end:].strip(" .!\"')"):
        return None
    if (
        rule in ("leaves", "match")
        or (rule == "it" and not say.CONCLUDES.search(seg.low[max(0, position - 40) : position]))
        or (rule == "change" and "answer" not in seg.low[max(0, position - 60) : position])
    ):
        return None
    start = position + len(seg.low[position:end]) - len(seg.low[position:end].lstrip(" \"':("))
    if option is None or joined(seg, end, option, want):
        return torn(seg, start, end, "several", strength)
    if rule == "label" and option:  # "A: …" is also the letter of the first option
        return torn(seg, start, end, "letter_against_text", strength)
    apposed = say.APPOSED.match(seg.low, end)
    letter = mention_at(seg, apposed.end() if apposed else end, want)
    if (
        letter
        and (letter.bracketed or seg.text[letter.start - 7 : letter.start].lower() == "option ")
        and letter.option not in (None, option)
    ):
        return torn(seg, start, letter.end, "letter_against_text", strength)
    return Claim(option, f"{rule}_text", span(seg, start, end), strength)


def by_late_letter(seg: Segment, position: int, want: KnownOptions, rule: str, strength: int) -> Claim | None:
    """A claim later in an answer's words: a letter in brackets ("a dog, i.e. (D)"), or an option's text at the end."""
    letters = list(marks.ANY_BRACKETED.finditer(seg.low, position, min(len(seg.low), position + 200)))
    if not letters and rule == "answer":
        option_text = want.closing(seg.low)
        if option_text is None or option_text[0] is None or option_text[1] < position:
            return None
        between = seg.low[position : option_text[1]]
        if any(len(text) > 2 and text in between for text, _ in want.texts):
            return None
        if (
            by_place.DISTANT.search(between)
            or say.TAIL_NOT.search(between)
            or want.named(seg.low[position:]) != {option_text[0]}
        ):
            return None
        return Claim(option_text[0], "answer_text", span(seg, option_text[1], option_text[2]), strength)
    if len({letter[0].replace(" ", "") for letter in letters}) != 1:
        return None
    between = seg.low[position : letters[0].start()]
    if say.NOT_MINE.search(between) or say.LATE_NOT.search(between):
        return None
    mention = mention_at(seg, letters[0].start(), want)
    if mention is None or mention.option is None or not _closes(seg, mention.end, rule):
        return None
    return Claim(mention.option, rule, span(seg, mention.start, mention.end), strength)


def by_number(seg: Segment, position: int, want: KnownOptions, strength: int) -> Claim | None:
    """The only option that begins with a boxed number: "18" boxed, of the options "12 m/s" and "18 m/s"."""
    number = marks.BOXED_NUMBER.match(seg.low, position)
    options = {
        option for text, option in want.texts if number and text.split()[0] == number[1] and len(text.split()) < 4
    }
    option = options.pop() if len(options) == 1 else None
    if number is None or option is None:
        return None
    return Claim(option, "boxed_text", span(seg, *number.span(1)), strength)


def _closes(seg: Segment, end: int, rule: str) -> bool:
    """Whether a clause may end after a mention."""
    if rule == "leaves" and re.match(r"[\s\"')]{1,4}(?:as )?(?:the|my|our) (?!worst|wrong|least)", seg.low[end:]):
        return True
    if rule == "leaves" and "mak" in seg.low[max(0, end - 40) : end] and " it " not in seg.low[max(0, end - 12) : end]:
        return False
    return rule == "but_is" or say.CLAUSE_END.match(seg.low, end) is not None


def undone(seg: Segment, end: int) -> bool:
    """Whether the words after an option take it back ("which is wrong") or depend on someone else ("if you are right")."""
    return bool(say.BUT_WRONG.match(seg.low, end) or say.ON_TRUST.match(seg.low, end))


def torn(seg: Segment, start: int, end: int, rule: str, strength: int) -> Claim:
    """A claim to several options at once."""
    return Claim(None, rule, span(seg, start, end), strength, "ambiguous")


def span(seg: Segment, start: int, end: int) -> tuple[int, int]:
    """Positions in a segment, converted to positions in the reply."""
    return seg.start + start, seg.start + end
