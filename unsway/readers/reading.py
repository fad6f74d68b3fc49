"""One reply on its way to an answer: which of its claims count, and what its layout says.

In: the text of a reply, the bounds of what is read of it, and the `KnownOptions` options. Out: a `Reading`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from unsway.readers import phrases as say
from unsway.readers.claims import HEDGED, STRONG, VOID, WEAK, Claim, claim_after, disowned, last_claim
from unsway.readers.mentions import Mention, joined, mention_at, words_after
from unsway.readers.wording import KnownOptions, Segment, fold, segment, sentences_from_the_end
from unsway.types import Reading, Status

LOOKED_AT = 4000
"""Characters at the end of a reply that are read; with HEAD, what keeps the longest reply under 10 ms."""
SENTENCES = 120
"""Sentences and lines at its end that are read."""
HEAD = 1000
"""Characters at its beginning that are read for an answer given before its reasons."""

_BULLET = re.compile(r"[\s\"'>#•=-]{0,12}(?:\d{1,2}[.)]\s{1,3})?")
_HEAD_LETTER = re.compile(
    r"^[ \t>*#_`\"•-]{0,8}(?:\d{1,2}[.)] )?[(\[]?[*_`]{0,3}([A-Za-z])[*_`]{0,3}(?:[).:\]]|[ ][-–—][ ]|[ \t*_`]{0,4}$)",
    re.MULTILINE,
)
_NUMBERED = re.compile(r"\S[ \t]{1,3}\d{1,2}\.[ \t]{1,3}$")
_OPENS = re.compile(r"[\s\"']{0,4}(?:$|[.,;:!)]|-\s|(?:because|since|as|for|due|given|based)\b)")


@dataclass(frozen=True)
class Passage:
    """A reply on its way to an answer; `low` and `high` bound what of `text` is read."""

    text: str
    low: int
    high: int
    want: KnownOptions

    def answer(self) -> Reading:
        """The last commitment; else how the reply begins; else how it ends; else why there is none."""
        claim = self._last_commitment() or self._edge()
        if claim is not None and claim.strength != VOID:
            return claim.answer()
        edges = fold(f"{self.text[self.low : self.low + 400]}\n{self.text[max(self.low, self.high - 400) : self.high]}")
        if say.REFUSAL.search(edges.lower()):
            return Reading(None, "refused", "refusal")
        return Reading(None, "unparsed", "nothing") if claim is None else claim.answer()

    def _last_commitment(self) -> Claim | None:
        """The last strong claim, unless a weaker one after it disagrees; else a weak one that nothing contradicts."""
        weak: Claim | None = None
        hedged: Claim | None = None
        void: Claim | None = None
        after: Segment | None = None
        for start, end in self._sentences():
            seg = segment(self.text, start, end)
            final = end == self.high
            claim = last_claim(seg, self.want)
            if claim is not None and (
                self._in_list(seg) if claim.rule.startswith("so") else self._begins_list(end, claim)
            ):
                claim = None
            claim = claim or self._line(seg, final=final) or (_ending(seg, self.want) if final else None)
            undone = _undone(after, claim, self.want, first=start <= self.low)
            after = seg if claim is None else None
            if undone is not None:
                return weak or hedged or undone
            if claim is None:
                if say.TAKEN_BACK.search(seg.low) or say.NONE_FITS.search(seg.low):
                    return weak or hedged or _claim(seg, None, "taken_back", 0, len(seg.low), "unparsed")
            elif claim.strength == VOID:
                void = void or claim
            elif claim.strength == HEDGED:
                hedged = _both(hedged, claim)
            elif claim.strength == WEAK and not say.CORRECTS.match(seg.low):
                weak = _both(weak, claim)
            else:
                return _both(weak, claim)
            if weak is not None and weak.status == "ambiguous":
                return weak
        return weak or hedged or void

    def _sentences(self) -> Iterator[tuple[int, int]]:
        every = sentences_from_the_end(self.text, max(self.low, self.high - LOOKED_AT), self.high)
        return islice(every, SENTENCES)

    # ------------------------------------------------------------ lines

    def _line(self, seg: Segment, *, final: bool) -> Claim | None:
        """A line that holds an option and nothing else, or the answer to a phrase that ends the line above."""
        line = self._line_start(seg.start)
        starts = not self.text[line : seg.start].strip(' \t>*#_`"•-')
        begin = _begin(seg)
        if starts and self._announced(line):
            claim = claim_after(seg, begin, self.want, "answer")
            return None if claim is not None and self._goes_on_after(seg.start, claim.choice) else claim
        if not (starts or final):
            return None
        return self._letter_line(seg, begin, final=final) or (self._text_line(seg, begin, line) if final else None)

    def _letter_line(self, seg: Segment, begin: int, *, final: bool) -> Claim | None:
        """A letter, with or without its option's words, as a whole line that is not one of a list."""
        mention = mention_at(seg, begin, self.want)
        if mention is None or mention.option is None or self._listed(seg.start, mention.option):
            return None
        words = words_after(seg, mention, self.want)
        stop = words[1] if words else mention.end
        second = joined(seg, stop, mention.option, self.want)
        if second:
            closed = say.CLAUSE_END.match(seg.low, second) and len(seg.low) - second < 20
            return _claim(seg, None, "several", mention.start, second, "ambiguous") if closed else None
        if words and not final:
            return None
        unknown = mention.bracketed and not self.want.texts and self._line_start(seg.start) == seg.start > self.low
        unknown = unknown and not say.GOES_ON.match(seg.low, stop) and not say.JOIN.match(seg.low, stop)
        if not unknown and seg.low[stop:].strip(" .!\"')"):
            return None
        if words and words[0] not in (None, mention.option):
            return _claim(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
        if not words and _named_otherwise(seg, begin, mention, self.want):
            return _claim(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
        if _NUMBERED.search(self.text, max(self.low, seg.start - 6), seg.start):
            return None
        if self._beside_another(seg.start, mention.option):
            return _claim(seg, None, "several", mention.start, stop, "ambiguous")
        return _claim(seg, mention.option, "line", mention.start, mention.end)

    def _beside_another(self, position: int, option: int) -> bool:
        """Whether the line right above commits to another option."""
        line = self._line_start(position)
        above = self._above(line)
        if above is None or "\n" in self.text[above.start + len(above.text) : line - 1].strip(" \t"):
            return False
        claim = last_claim(above, self.want)
        return claim is not None and claim.choice not in (None, option)

    def _text_line(self, seg: Segment, begin: int, line: int) -> Claim | None:
        """The words of an option as the whole last line, where the line above does not name another option."""
        named = self.want.at(seg.low, begin)
        if named is None or named[0] is None:
            return None
        letter = mention_at(seg, named[1], self.want)
        stop = letter.end if letter and letter.bracketed else named[1]
        second = joined(seg, named[1], named[0], self.want)
        if second and not seg.low[second:].strip(" .!\"')"):
            return _claim(seg, None, "several", begin, second, "ambiguous")
        above = self._above(line)
        if seg.low[stop:].strip(" .!\"')") or (above is not None and self.want.at(above.low, _begin(above))):
            return None
        if letter and letter.option != named[0]:
            return _claim(seg, None, "letter_against_text", begin, stop, "ambiguous")
        return _claim(seg, named[0], "line_text", begin, stop)

    def _line_start(self, position: int) -> int:
        """Where the line of a position begins, at most LOOKED_AT characters before it."""
        least = max(self.low, position - LOOKED_AT)
        return self.text.rfind("\n", least, position) + 1 or least

    def _above(self, line: int) -> Segment | None:
        """The last sentence before a line."""
        before = next(sentences_from_the_end(self.text, max(self.low, line - 400), max(self.low, line - 1)), None)
        return segment(self.text, *before) if before else None

    def _announced(self, line: int) -> bool:
        """Whether what is above a line ends with a phrase that an answer follows."""
        above = self._above(line)
        if above is None:
            return False
        done = len(above.low.rstrip())
        return any(
            found.end() >= done
            and found.lastgroup in ("answer", "so", "foreign")
            and not disowned(above.low, found.start(), noun=True)
            for found in say.FRAME.finditer(above.low)
        )

    @cached_property
    def _heads(self) -> tuple[tuple[int, int], ...]:
        """Where a line begins with a letter as a list does, and which."""
        found = _HEAD_LETTER.finditer(self.text, max(self.low, self.high - LOOKED_AT), self.high)
        return tuple((head.start(), ord(head[1].lower()) - ord("a")) for head in found)

    def _listed(self, position: int, option: int) -> bool:
        """Whether a line is one of a list of options: the letter before is above it or the next letter below it."""
        i = bisect_left(self._heads, (self._line_start(position), -1))
        above = self._heads[i - 1][1] if i else None
        return above == option - 1 or self._goes_on_after(position, option)

    def _in_list(self, seg: Segment) -> bool:
        """Whether a sentence is one of a list of options."""
        head = mention_at(seg, _begin(seg), self.want)
        return head is not None and head.option is not None and self._listed(seg.start, head.option)

    def _begins_list(self, end: int, claim: Claim) -> bool:
        """Whether the line after a claim is the next option and nothing else, so that the claim begins a list."""
        if claim.choice is None or end >= self.high:
            return False
        while end < self.high and self.text[end].isspace():
            end += 1
        stop = self.text.find("\n", end, self.high)
        seg = segment(self.text, end, self.high if stop < 0 else stop)
        mention = mention_at(seg, _begin(seg), self.want)
        if mention is None or mention.option != claim.choice + 1:
            return False
        words = words_after(seg, mention, self.want)
        return words is not None and words[0] == mention.option and not seg.low[words[1] :].strip(" .!\"')")

    def _goes_on_after(self, position: int, option: int | None) -> bool:
        """Whether the next line that begins with a letter has the letter after this one."""
        i = bisect_left(self._heads, (position + 1, -1))
        return option is not None and self._heads[i : i + 1] != () and self._heads[i][1] == option + 1

    # ------------------------------------------------------------ edges

    def _edge(self) -> Claim | None:
        """How the reply begins, unless it begins with a mere letter and ends with another option; else how it ends."""
        leading, closing = self._leading(), self._closing()
        if leading is None or closing is None or leading.rule == "leading_words":
            return leading or closing
        return _both(closing, leading)

    def _leading(self) -> Claim | None:
        """An option at the very beginning, with its reasons behind it."""
        sentences = list(sentences_from_the_end(self.text, self.low, min(self.high, self.low + HEAD)))
        seg = segment(self.text, *sentences[-1])
        begin = _begin(seg)
        mention = mention_at(seg, begin, self.want)
        if mention is None or mention.option is None:
            return self._leading_text(seg, begin, sentences)
        label = mention.bracketed and seg.text[mention.start : mention.start + 1] != "("
        if seg.low.endswith("?") and not (label and len(seg.low) > mention.end + 4):
            return None
        words = words_after(seg, mention, self.want)
        stop = words[1] if words else mention.end
        turned_down = not label and say.REFUTED.match(seg.low, stop)
        if turned_down or self._goes_on_after(seg.start + begin, mention.option):
            return None
        if words and words[0] not in (None, mention.option):
            return _claim(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
        second = joined(seg, stop, mention.option, self.want)
        if second:
            closed = say.CLAUSE_END.match(seg.low, second)
            return _claim(seg, None, "several", mention.start, second, "ambiguous") if closed else None
        if words and (mention.bracketed or _OPENS.match(seg.low, stop)):
            return _claim(seg, mention.option, "leading_words", mention.start, mention.end)
        speaker = seg.low[begin : begin + 2] == "a:"
        discussed = not label and say.GOES_ON.match(seg.low, stop)
        if speaker or discussed or not (mention.bracketed or _OPENS.match(seg.low, stop)):
            return None
        if _named_otherwise(seg, begin, mention, self.want):
            return _claim(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
        return _claim(seg, mention.option, "leading", mention.start, mention.end)

    def _leading_text(self, seg: Segment, begin: int, sentences: list[tuple[int, int]]) -> Claim | None:
        """The words of an option at the very beginning, closed off from what follows."""
        named = self.want.at(seg.low, begin)
        if named is None or named[0] is None or seg.low.endswith("?") or not _OPENS.match(seg.low, named[1]):
            return None
        if len(sentences) > 1:
            second = segment(self.text, *sentences[-2])
            if self.want.at(second.low, _begin(second)):
                return None
        denies = re.match(r"[\s,]{1,3}(?:and )?not ", seg.low[named[1] :])
        if (len(self.want.named(seg.low)) > 1 and not denies) or joined(seg, named[1], named[0], self.want):
            return None
        return _claim(seg, named[0], "leading_text", begin, named[1], strength=WEAK)

    def _closing(self) -> Claim | None:
        """The words of an option at the very end, as what the sentence says or as the only option that is named."""
        seg = segment(self.text, *next(self._sentences()))
        named = self.want.closing(seg.low)
        if named is None or named[0] is None:
            return None
        option, start, end = named
        before = seg.low[:start]
        if say.DISTANT.search(before) or say.OTHERS.search(before) or seg.low.rstrip().endswith("?"):
            return None
        if _rejected(seg) or any(
            mention_at(seg, found.start(), self.want) for found in say.LOOSE.finditer(seg.text, 0, start)
        ):
            return None
        whole = segment(self.text, max(self.low, self.high - LOOKED_AT), self.high)
        if say.COPULA.search(before):
            said = whole.low[: seg.start + start - whole.start] if not say.TURNS.search(before) else ""
            rivals = (found.end() for found in re.finditer(r"\b(?:is|are|was|were) (?:(?:an?|the) )?", said))
            if any(self.want.begins(said, place) for place in rivals):
                return None
        else:
            if self.want.named(whole.low) != {option} or say.DISTANT.search(whole.low):
                return None
        return _claim(seg, option, "closing_text", start, end, strength=WEAK)


def _undone(after: Segment | None, claim: Claim | None, want: KnownOptions, *, first: bool) -> Claim | None:
    """What the sentence right after a claim, or after the first one, makes of it where it takes back or adds."""
    if after is None:
        return None
    if (claim is not None or first) and say.AFTERTHOUGHT.match(after.low):
        return _claim(after, None, "taken_back", 0, len(after.low), "unparsed")
    more = say.OR_ELSE.match(after.low)
    other = mention_at(after, more.end(), want) if more and claim is not None and claim.choice is not None else None
    if other is None or claim is None or other.option in (None, claim.choice):
        return None
    return _claim(after, None, "several", other.start, other.end, "ambiguous")


def _begin(seg: Segment) -> int:
    """Where a line's text begins, after bullets and quotes."""
    found = _BULLET.match(seg.low)
    return found.end() if found else 0


def _named_otherwise(seg: Segment, begin: int, mention: Mention, want: KnownOptions) -> bool:
    """Whether a letter without brackets is the whole text of another option."""
    named = want.at(seg.low, begin)
    return not mention.bracketed and named is not None and named[0] != mention.option


def _rejected(seg: Segment) -> bool:
    """Whether a sentence speaks of an answer that is not the reply's own."""
    return any(found.lastgroup == "answer" for found in say.FRAME.finditer(seg.low))


def _ending(seg: Segment, want: KnownOptions) -> Claim | None:
    """A bracketed letter that ends the reply and is what its last sentence says: "a clear sky is (D) blue"."""
    places = [found.start() for found in re.finditer(r"\(\s{0,3}[a-z]\s{0,3}\)", seg.low)]
    if (
        len(places) != 1
        or _rejected(seg)
        or not say.COPULA.search(seg.low[: places[0]])
        or say.DISTANT.search(seg.low[: places[0]])
    ):
        return None
    mention = mention_at(seg, places[0], want)
    if mention is None or mention.option is None or disowned(seg.low, places[0]):
        return None
    words = words_after(seg, mention, want)
    stop = words[1] if words else mention.end
    if seg.low[stop:].strip(" .!\"')"):
        return None
    if words and words[0] not in (None, mention.option):
        return _claim(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
    return _claim(seg, mention.option, "closing", mention.start, mention.end, strength=WEAK)


def _claim(
    seg: Segment, choice: int | None, rule: str, start: int, end: int, status: Status = "ok", strength: int = STRONG
) -> Claim:
    return Claim(choice, rule, (seg.start + start, seg.start + end), strength, status)


def _both(later: Claim | None, earlier: Claim) -> Claim:
    """The later of two claims where they agree or there is but one; else a conflict."""
    if later is None:
        return earlier
    if (later.choice, later.status) == (earlier.choice, earlier.status):
        return later
    return replace(later, choice=None, rule="conflict", status="ambiguous")
