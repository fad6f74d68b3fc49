"""Commitments by an option's words or number instead of its letter: the only option left, stated or numbered.

In: a `ReplyLayout`. Out: a `Claim`, or None. All of them are weaker than an outright commitment.
"""

from __future__ import annotations

from itertools import islice

from unsway.readers import languages, own_words
from unsway.readers.claims import WEAK, Claim, announces, claimed, undone
from unsway.readers.layout import LOOKED_AT, ReplyLayout
from unsway.readers.mentions import mention_at
from unsway.readers.patterns import by_place, marks, say, who
from unsway.readers.speakers import OWN, stance
from unsway.readers.wording import KnownOptions, Segment

STATED = 20
"""Sentences at the end that are examined for statements; limits the time."""
OTHERS = 40
"""Sentences at the end that are examined for another option; limits the time."""


def singled_out(reply: ReplyLayout) -> Claim | None:
    """The only option the last sentence names by its own words, if it concludes or the rest of the reply names no other."""
    seg = next(reply.sentences())
    named_options = own_words.named_in(seg, reply.want)
    candidates = [words for words in named_options if not words.rejected]
    if len({words.option for words in candidates}) != 1 or seg.low.rstrip(" \"')").endswith("?") or announces(seg):
        return None
    option, start, end, _, piece = candidates[-1]
    before = seg.low[:start]
    against = any(words.rejected and -1 < words.piece[0] - end < 3 for words in named_options)  # "X, not Y"
    plainly = against or by_place.COPULA.search(before) or by_place.ONLY.search(before)
    late = len(before) * 2 >= len(seg.low) or by_place.CONCLUDES.search(before)
    if not plainly and (not late or by_place.YOURS.search(before)):
        return None
    refused = by_place.DISTANT.search(seg.low, *piece) or by_place.AMONG.match(seg.low, end)
    if refused or undone(seg, end) or own_words.is_theirs(before):
        return None
    if not own_words.is_own(seg, start, piece) or _letters_beside(seg, start, end, reply.want) - {None, option}:
        return None
    concludes = by_place.CONCLUDES.search(seg.low)
    sentences = () if concludes else islice(reply.sentences(), OTHERS)
    if any(rival != option for sentence in sentences for rival in own_words.left_by(sentence, reply.want)):
        return None
    return claimed(seg, option, "closing_text", start, end, strength=WEAK)


def stated(reply: ReplyLayout) -> Claim | None:
    """The only option stated by sentences that name no other ("the deepest is Baikal (1,642 m)")."""
    claims: dict[int, Claim] = {}
    for seg in () if reply.want.numbers else islice(reply.sentences(), STATED):
        candidates = [words for words in own_words.named_in(seg, reply.want) if not words.rejected]
        option, start, end, _, piece = candidates[0] if candidates else (0, 0, 0, False, (0, 0))
        if undone(seg, end) or own_words.is_theirs(seg.low[:start]):
            continue
        if candidates and _has_its_letter(reply, seg, option, start, end):
            claims.setdefault(option, claimed(seg, option, "stated_text", start, end, strength=WEAK))
            continue
        only = by_place.ONLY.search(seg.low, 0, start)
        several = any(words.option != option and (words.piece == piece or not only) for words in candidates)
        if several and by_place.CONCLUDES.search(seg.low, 0, start):
            break  # the conclusion is one of these, not an earlier statement
        if not candidates or several or seg.low.endswith("?") or not marks.SAYS_IT.match(seg.low, end):
            continue
        before = marks.BY.sub("", seg.low[piece[0] : start])
        quoted = not before.strip(" (\"'")
        before = seg.low[:start] if quoted else before
        says = any(
            pattern.search(before) for pattern in (by_place.COPULA, by_place.ONLY, marks.MADE_BY)
        ) or languages.announces(before)
        if not says and (languages.english(seg.low) or not marks.DASH.search(seg.low[:start])):
            continue
        if (seg.low[piece[0] : piece[0] + 1] == "(" and not quoted) or who.GIVES_AWAY.search(before) or announces(seg):
            continue
        if by_place.DISTANT.search(seg.low, *piece) or _letters_beside(seg, start, end, reply.want) - {None, option}:
            continue
        if own_words.is_own(seg, start, piece) and not reply.in_list(seg):
            claims.setdefault(option, claimed(seg, option, "stated_text", start, end, strength=WEAK))
    return next(iter(claims.values())) if len(claims) == 1 else None


def numbered(reply: ReplyLayout) -> Claim | None:
    """An option's number after a phrase that announces an answer; None if options contain numbers or the reply computes."""
    if reply.want.numbers or marks.COMPUTES.search(reply.text, max(reply.low, reply.high - LOOKED_AT), reply.high):
        return None
    for seg in islice(reply.sentences(), 4):
        earliest = max(0, len(seg.low) - own_words.LONGEST)
        numbers = list(marks.NUMBER.finditer(seg.low, earliest))[-3:]
        frames = (
            [frame for frame in say.FRAME.finditer(seg.low, earliest) if frame.lastgroup in ("answer", "first")]
            if numbers
            else []
        )
        for number in numbers:
            option, start, stop = int(number["number"]) - 1, number.start("number"), number.end()
            option_text = reply.want.at(seg.low, stop)
            stop = option_text[1] if option_text else stop
            if option >= reply.want.n or (option_text and option_text[0] != option) or seg.low[stop:].strip(" .!\"')"):
                continue
            frame = next((frame for frame in frames if number.start() <= frame.end() <= start), None)
            is_announced = languages.announces(seg.low[: number.start()])
            if frame is not None and frame.lastgroup == "answer" and ":" not in frame[0] and "n" not in number[0]:
                continue  # "the answer is 2" may be a count
            if marks.KEY_BEFORE.search(seg.low, earliest, start):
                continue  # {"answer": 2} may count from 0
            if is_announced or (frame is not None and stance(seg.low, frame.start(), noun=True) == OWN):
                return claimed(seg, option, "numbered", start, start + 1, strength=WEAK)
    return None


def _letters_beside(seg: Segment, start: int, end: int, want: KnownOptions) -> set[int | None]:
    """The options whose bracketed letters are directly next to the words between two positions; "A strike" has none."""
    mentions = (
        mention_at(seg, match.start(), want) for match in say.LOOSE.finditer(seg.text, max(0, start - 12), end + 12)
    )
    letters = [mention for mention in mentions if mention is not None and mention.bracketed]
    return {letter.option for letter in letters if -1 < start - letter.end < 4 or -1 < letter.start - end < 4}


def _has_its_letter(reply: ReplyLayout, seg: Segment, option: int, start: int, end: int) -> bool:
    """Whether an option has its own letter next to it ("Mars (C) is home to …") and the reply has no other letter."""
    if _letters_beside(seg, start, end, reply.want) != {option} or by_place.DISTANT.search(seg.low) or announces(seg):
        return False
    if not own_words.is_own(seg, start, (start, len(seg.low))):
        return False
    return reply.letters <= {option}
