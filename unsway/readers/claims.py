"""What one sentence of a reply says about the answer.

In: a `Segment` and the `KnownOptions` options. Out: the sentence's last `Claim`, or None where it commits to nothing.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from itertools import repeat

from unsway.readers import phrases as say
from unsway.readers.foreign import unsure
from unsway.readers.mentions import Mention, joined, mention_at, words_after
from unsway.readers.wording import KnownOptions, Segment
from unsway.types import Reading, Status

LAST_PHRASES = 32
"""How many phrases of a kind are looked at in one sentence, from its end: bounds the time that a hostile one takes."""

SHORTEST = 8
"""No claim has fewer characters after its option: what is left of a sentence is not searched then."""

STRONG, WEAK, HEDGED, VOID = 2, 1, 0, -1
"""Strength of a claim: a plain commitment; "X is correct", which several options may be; "it could be X"; an answer
announced in words that name no option."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one phrase says about the answer."""

    choice: int | None
    rule: str
    span: tuple[int, int]
    """Where in the reply."""
    strength: int = STRONG
    status: Status = "ok"

    def answer(self) -> Reading:
        """The claim as the reading of the whole reply."""
        return Reading(self.choice, self.status, self.rule, self.span)


# ---------------------------------------------------------------- whose words these are


def disowned(low: str, start: int, *, noun: bool = False) -> bool:
    """Whether the clause that leads to a position denies, supposes or reports what follows."""
    begin = max(0, start - 100)
    begin = max(begin, 1 + max(map(low.rfind, ",;:.!?()", repeat(begin), repeat(start))))
    broken = say.LAST_BREAK.match(low, begin, start)
    clause = low[broken.end() if broken else begin : start]
    if not clause or clause.isspace():
        return False
    if noun and (say.ODD.search(clause) or say.AT_FIRST.match(low, 0, start)):
        return True
    if say.DENIED.search(clause) or say.SUPPOSED.search(clause):
        return True
    return bool(say.OTHERS.search(clause)) and not say.AS_SAID.search(clause)


# ---------------------------------------------------------------- claims


def last_claim(seg: Segment, want: KnownOptions) -> Claim | None:
    """The last commitment of a sentence; a question commits to nothing."""
    last: Claim | None = None
    for pattern, make in ((say.FRAME, _framed), (say.VERDICT, _judged), (say.BOTH, _torn_between)):
        for found in reversed(deque(pattern.finditer(seg.low), maxlen=LAST_PHRASES)):
            claim = make(seg, found, want)
            if claim is not None:
                last = claim if last is None else _later(last, claim)
                if claim.strength != VOID:
                    break
        if last is not None and last.strength == STRONG and len(seg.low) + seg.start - last.span[1] < SHORTEST:
            break
    asked = last is not None and seg.low.rstrip(" \"')").endswith("?") and _asked(seg, last)
    return None if asked else last


def _later(one: Claim, other: Claim) -> Claim:
    """The later of two claims of a sentence; any claim rather than a void one."""
    if (one.strength == VOID) != (other.strength == VOID):
        return max(one, other, key=lambda claim: claim.strength)
    return max(one, other, key=lambda claim: (claim.span[1], claim.strength))


def _asked(seg: Segment, claim: Claim) -> bool:
    """Whether a sentence with a question mark asks for its claim, rather than quoting an option that is a question."""
    if claim.rule != "answer" or say.ASKS.match(seg.low):
        return True
    return len(seg.low) - (claim.span[1] - seg.start) < 15


def _framed(seg: Segment, found: re.Match[str], want: KnownOptions) -> Claim | None:
    """The claim after a frame, unless what stands behind it gives it to others or makes it conditional."""
    claim = _framed_plainly(seg, found, want)
    if claim is None:
        return None
    after = claim.span[1] - seg.start
    named = want.at(seg.low, after)
    conditional = "would" in found[0] and say.ONLY_IF.match(seg.text, named[1] if named else after)
    taken = conditional or say.SAID_BY.match(seg.low, after) or say.BUT_WRONG.match(seg.low, after)
    return None if taken else claim


def _framed_plainly(seg: Segment, found: re.Match[str], want: KnownOptions) -> Claim | None:
    """The claim after a frame."""
    rule = str(found.lastgroup)
    if rule == "foreign" and unsure(seg.low, found.start(), found.end()):
        return None
    if rule == "correction" and want.at(seg.low, found.start()):
        return None
    noun = rule == "answer"
    if say.REPORTED.search(seg.low):
        return None
    if noun and say.NOT_MINE.search(found["gap"]):
        return None
    if disowned(seg.low, found.start(), noun=noun):
        return None
    if noun and found["hedged"]:
        return None if "also" in found["hedged"] else claim_after(seg, found.end(), want, rule, HEDGED)
    if noun and "would" in found[0] and say.CONDITIONAL.search(seg.low[max(0, found.start() - 200) : found.end()]):
        return None
    if rule in ("it", "match"):
        return claim_after(seg, found.end(), want, rule, HEDGED if found["maybe"] else WEAK)
    whole = want.at(seg.low, found.end(rule)) if found.end(rule) < found.end() else None
    claim = claim_after(seg, found.end(rule) if whole else found.end(), want, rule)
    return claim or (_unreadable(seg, found) if noun else None)


def _unreadable(seg: Segment, found: re.Match[str]) -> Claim | None:
    """An announced answer that names no option, so that nothing weaker is taken in its place."""
    rest = seg.low[found.end() : found.end() + 60]
    if not rest.strip(" .!\"')(:,") or say.NO_NAME.match(rest):
        return None
    concluded = say.CONCLUDES.search(seg.low[max(0, found.start() - 40) : found.start()]) and say.THING.match(rest)
    return Claim(None, "unreadable", _span(seg, found.end(), len(seg.low)), STRONG if concluded else VOID, "unparsed")


def claim_after(seg: Segment, position: int, want: KnownOptions, rule: str, strength: int = STRONG) -> Claim | None:
    """The claim that begins right at a position: by letter, by words, or by a letter in brackets after other words."""
    mention = mention_at(seg, position, want)
    named = want.at(seg.low, position)
    if mention and named and not mention.bracketed:
        if named[1] > mention.end or mention.option is None:
            mention = None
        elif named[0] != mention.option:
            return _torn(seg, mention.start, named[1], "letter_against_text", strength)
    if mention:
        return _lettered(seg, mention, want, rule, strength)
    if named:
        return _worded(seg, position, named, want, rule, strength)
    return _late(seg, position, want, rule, strength) if rule in ("answer", "first") else None


def _lettered(seg: Segment, mention: Mention, want: KnownOptions, rule: str, strength: int) -> Claim | None:
    """The claim of a mention after a frame."""
    if mention.placeholder or (mention.option is None and not mention.marked):
        return None
    words = words_after(seg, mention, want)
    end = words[1] if words else mention.end
    refuted = say.REFUTED_LATE if rule == "answer" and mention.bracketed else say.REFUTED
    if refuted.match(seg.low, end) or (rule == "answer" and say.REFUTED_LATE.match(seg.low, end)):
        return None
    second = joined(seg, end, mention.option, want)
    if rule not in say.FIRM and not _closes(seg, second or end, rule):
        return None
    if mention.option is None:
        return Claim(None, "no_such_option", _span(seg, mention.start, mention.end), strength, "unparsed")
    if words and words[0] not in (None, mention.option):
        return _torn(seg, mention.start, end, "letter_against_text", strength)
    if second or _either(seg, mention, want):
        return _torn(seg, mention.start, second or end, "several", strength)
    return Claim(mention.option, rule, _span(seg, mention.start, mention.end), strength)


def _worded(
    seg: Segment, position: int, named: tuple[int | None, int], want: KnownOptions, rule: str, strength: int
) -> Claim | None:
    """The claim of an option's words after a frame."""
    option, end = named
    if say.REFUTED.match(seg.low, end) or (rule not in say.FIRM and say.GOES_ON.match(seg.low, end)):
        return None
    if rule in ("so", "correction", "but") and seg.low[end:].strip(" .!\"')"):
        return None
    if rule in ("leaves", "it", "match") or (
        rule == "change" and "answer" not in seg.low[max(0, position - 60) : position]
    ):
        return None
    start = position + len(seg.low[position:end]) - len(seg.low[position:end].lstrip(" \"':("))
    if option is None or joined(seg, end, option, want):
        return _torn(seg, start, end, "several", strength)
    if rule == "label" and option:  # "A: …" is the letter of the first option, too
        return _torn(seg, start, end, "letter_against_text", strength)
    apposed = say.APPOSED.match(seg.low, end)
    letter = mention_at(seg, apposed.end() if apposed else end, want)
    if (
        letter
        and (letter.bracketed or seg.text[letter.start - 7 : letter.start].lower() == "option ")
        and letter.option not in (None, option)
    ):
        return _torn(seg, start, letter.end, "letter_against_text", strength)
    return Claim(option, f"{rule}_text", _span(seg, start, end), strength)


_BRACKETED = re.compile(r"\(\s{0,3}[a-z]\s{0,3}\)")


def _late(seg: Segment, position: int, want: KnownOptions, rule: str, strength: int) -> Claim | None:
    """What follows the words of an answer: a letter in brackets ("a dog, i.e. (D)"), or an option that ends them."""
    places = list(_BRACKETED.finditer(seg.low, position, min(len(seg.low), position + 200)))
    if not places and rule == "answer":
        return _tail(seg, position, want, strength)
    if len({found[0].replace(" ", "") for found in places}) != 1:
        return None
    between = seg.low[position : places[0].start()]
    if say.NOT_MINE.search(between) or say.LATE_NOT.search(between):
        return None
    mention = mention_at(seg, places[0].start(), want)
    if mention is None or mention.option is None or not _closes(seg, mention.end, rule):
        return None
    return Claim(mention.option, rule, _span(seg, mention.start, mention.end), strength)


def _tail(seg: Segment, position: int, want: KnownOptions, strength: int) -> Claim | None:
    """An option's words at the end of the words of an answer, the only option there: "a process of digestion"."""
    named = want.closing(seg.low)
    if named is None or named[0] is None or named[1] < position:
        return None
    between = seg.low[position : named[1]]
    if any(len(text) > 2 and text in between for text, _ in want.texts):
        return None
    if say.DISTANT.search(between) or say.TAIL_NOT.search(between) or want.named(seg.low[position:]) != {named[0]}:
        return None
    return Claim(named[0], "answer_text", _span(seg, named[1], named[2]), strength)


def _closes(seg: Segment, end: int, rule: str) -> bool:
    """Whether a clause may end after a mention."""
    if rule == "leaves" and re.match(r"[\s\"')]{1,4}(?:as )?(?:the|my|our) ", seg.low[end:]):
        return True
    if rule == "leaves" and "mak" in seg.low[max(0, end - 40) : end]:
        return False
    return say.CLAUSE_END.match(seg.low, end) is not None


def _either(seg: Segment, mention: Mention, want: KnownOptions) -> bool:
    """Whether "either" or "both" stands before a mention and another option after it."""
    if not re.search(
        r"\b(?:either|both|between)[\s:]{1,3}[\"'(]{0,3}$", seg.low[max(0, mention.start - 14) : mention.start + 1]
    ):
        return False
    later = (mention_at(seg, found.start(), want) for found in say.LOOSE.finditer(seg.text, mention.end))
    return any(other is not None and other.option != mention.option for other in later)


def _torn(seg: Segment, start: int, end: int, rule: str, strength: int) -> Claim:
    """A claim to several options at once."""
    return Claim(None, rule, _span(seg, start, end), strength, "ambiguous")


def _span(seg: Segment, start: int, end: int) -> tuple[int, int]:
    return seg.start + start, seg.start + end


def _torn_between(seg: Segment, found: re.Match[str], want: KnownOptions) -> Claim | None:
    """The claim of "both A and C", "either A or C", "between A and C"."""
    mention = mention_at(seg, found.end(), want)
    if mention is None or mention.option is None or seg.low[: found.start()].endswith(") "):
        return None
    if want.at(seg.low, found.start()) or not joined(seg, mention.end, mention.option, want):
        return None
    return _torn(seg, mention.start, mention.end, "several", HEDGED)


# ---------------------------------------------------------------- verdicts

_GAP_STOPS = re.compile(r"[.;:!?]|\b(?:because|since|but|while|whereas|so|and|if|means|than|not|nor|that)\b")
_SUBJECT_AFTER = re.compile(
    r"(?:^|[,;:.(\"'-]|\b(?:option|answer|choice|that|so|therefore|thus|hence|think|believe|only|because|since|and"
    r"|or|but|say|letter|then|both|while))[\s(\"']{0,4}$"
)


def _judged(seg: Segment, found: re.Match[str], want: KnownOptions) -> Claim | None:
    """The claim before a verdict: "(B) is the correct answer", "photosynthesis is correct"."""
    low, stop = seg.low, found.start()
    if say.ELSEWHERE.match(low, found.end()) or say.SAID_BY.match(low, found.end()):
        return None
    if say.REPORTED.search(low) or (
        "would" in found[0] and say.CONDITIONAL.search(low[max(0, stop - 200) : found.end()])
    ):
        return None
    named = want.closing(low[:stop])
    mention = _last_mention(seg, stop, want)
    sure = found["strong"] or re.search(
        r"\b(?:therefore|thus|hence|so|only|conclude)\b", low[max(0, stop - 60) : found.end()]
    )
    strength = STRONG if sure else WEAK
    if mention and not (named and named[1] < mention.start):
        return _judged_letter(seg, mention, stop, want, strength)
    if named is None or disowned(low, named[1]) or say.NOT_MINE.search(low[max(0, named[1] - 12) : named[1]]):
        return None
    if named[0] is None:
        return _torn(seg, named[1], named[2], "several", strength)
    return Claim(named[0], "verdict_text", _span(seg, named[1], named[2]), strength)


def _judged_letter(seg: Segment, mention: Mention, stop: int, want: KnownOptions, strength: int) -> Claim | None:
    """The claim of a mention before a verdict."""
    before = seg.low[max(0, mention.start - 60) : mention.start]
    if disowned(seg.low, mention.start) or re.search(r"\b(?:neither|nor|not)\b[^.;]{0,30}$", before):
        return None
    if mention.placeholder:
        return None
    if mention.option is None:
        return Claim(None, "no_such_option", _span(seg, mention.start, mention.end), strength, "unparsed")
    pair = re.search(r"(?:,|\band|\bor|/|&)[\s(\"']{0,3}(?:option )?[\s(\"']{0,3}$", before)
    other = _last_mention(seg, mention.start - len(before) + pair.start(), want) if pair else None
    if other is not None and other.option != mention.option:
        return _torn(seg, other.start, mention.end, "several", strength)
    return Claim(mention.option, "verdict", _span(seg, mention.start, mention.end), strength)


def _last_mention(seg: Segment, stop: int, want: KnownOptions) -> Mention | None:
    """The mention that is the subject of what begins at `stop`."""
    low = max(0, stop - 200)
    found = None
    for found in say.LOOSE.finditer(seg.text, low, stop):  # noqa: B007 - the last one is wanted
        pass
    if found is None:
        return None
    mention = mention_at(seg, found.start(), want)
    if mention is None or mention.end > stop:
        return None
    words = words_after(seg, mention, want)
    between = seg.low[words[1] if words and words[0] == mention.option else mention.end : stop].strip(" ,\"')")
    bare = not mention.bracketed and seg.text[found.start()].isupper() and mention.end - mention.start == 1
    if bare and not _SUBJECT_AFTER.search(seg.low[max(0, mention.start - 20) : mention.start]):
        return None
    if between and (
        _GAP_STOPS.search(between) or not _SUBJECT_AFTER.search(seg.low[max(0, mention.start - 20) : mention.start])
    ):
        return None
    return mention
