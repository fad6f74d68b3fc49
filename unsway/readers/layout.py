"""The layout of a reply: its sentences from the last to the first, its lines, and its lists of options.

In: the text of a reply, the bounds of the part to read, and the `KnownOptions`. Out: positions and segments.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain, dropwhile, islice, starmap, tee

from unsway.readers.mentions import mention_at, words_after
from unsway.readers.patterns import by_place, marks, say
from unsway.readers.wording import SIGNS, KnownOptions, Segment, fold, segment, sentences_from_the_end

LOOKED_AT = 4000
"""Characters at the end of a reply that are read; with HEAD, keeps the longest reply under 10 ms."""
SENTENCES = 80
"""Sentences and lines at the end that are read."""
PHRASES = 50
"""Phrases and foreign letters examined before one commits to an answer; limits the time for a hostile reply."""
HEAD = 1000
"""Characters at the beginning that are read, for an answer given before its reasons."""
LONGEST = 1_500
"""Characters at the end of a sentence that are searched for phrases; limits the time for a hostile sentence."""

FENCE = "```"
"""The marker before and after a block of code."""
LEADS = ' \t>*#_`|"•-'
"""Characters that may precede the text of a line."""


def begin(seg: Segment, want: KnownOptions) -> int:
    """Where a line's text begins, after bullets and quotes; a sign at the start of an option is not a bullet."""
    bullet = marks.BULLET.match(seg.low)
    start = bullet.end() if bullet else 0
    sign_start = len(seg.low[:start].rstrip(SIGNS))
    return sign_start if sign_start < start and want.begins(seg.low, sign_start) else start


@dataclass(eq=False)
class ReplyLayout:
    """A reply; only the part of `text` between `low` and `high` is read."""

    text: str
    """The whole text."""
    low: int
    """Where the part to read begins, in characters."""
    high: int
    """Where it ends."""
    want: KnownOptions
    """The options it may name."""
    phrases: int = PHRASES
    """Phrases that may still be examined."""
    _frames: tuple[Segment | None, list[re.Match[str]]] = (None, [])
    """The last sentence searched for frames, and its frames."""

    def __post_init__(self) -> None:
        text = self.text  # not self, to avoid a reference cycle
        bounds = text, max(self.low, self.high - LOOKED_AT), self.high
        sentences = sentences_from_the_end(*bounds)
        remaining: Iterator[tuple[int, int]] = dropwhile(
            lambda sentence: by_place.COURTESY.match(text[sentence[0] : sentence[1]].lower()), sentences
        )
        first = next(remaining, None)  # if it has only courtesies, all of it is read
        remaining = chain([first], remaining) if first else sentences_from_the_end(*bounds)
        self._all: Iterator[Segment] = starmap(partial(segment, text), islice(remaining, SENTENCES))

    def sentences(self) -> Iterator[Segment]:
        """Its sentences, the last first, without courtesies at the end (unless they are all); each is searched for once."""
        self._all, sentences = tee(self._all)
        return sentences

    def frames(self, seg: Segment) -> list[re.Match[str]]:
        """The phrases in a sentence that announce an answer; cached, because a sentence is also the line above another."""
        if self._frames[0] != seg:
            self._frames = seg, [*say.FRAME.finditer(seg.low, max(0, len(seg.low) - LONGEST))]
        return self._frames[1]

    @cached_property
    def tail(self) -> Segment:
        """The part that is read, as one segment."""
        return segment(self.text, max(self.low, self.high - LOOKED_AT), self.high)

    @cached_property
    def letters(self) -> frozenset[int | None]:
        """The options named by letters anywhere in the part that is read; None stands for a letter of no option."""
        mentions = (mention_at(self.tail, match.start(), self.want) for match in say.LOOSE.finditer(self.tail.text))
        return frozenset(mention.option for mention in mentions if mention is not None)

    @cached_property
    def objects(self) -> frozenset[int]:
        """The positions of option letters in a list of JSON objects with one object per option; empty for other replies."""
        if '":' not in self.text and "':" not in self.text:
            return frozenset()
        letters = [*marks.OBJECT_OPTION.finditer(self.text, max(self.low, self.high - LOOKED_AT), self.high)]
        is_list = len({letter[1] for letter in letters}) >= min(3, self.want.n)
        return frozenset(letter.start(1) for letter in letters) if is_list else frozenset()

    def line_start(self, position: int) -> int:
        """The start of the line at a position, at most LOOKED_AT characters before it."""
        earliest = max(self.low, position - LOOKED_AT)
        return self.text.rfind("\n", earliest, position) + 1 or earliest

    def above(self, line: int) -> Segment | None:
        """The last sentence before a line."""
        return self.before(line - 1)

    def before(self, position: int) -> Segment | None:
        """The last sentence that ends before a position."""
        bounds = next(sentences_from_the_end(self.text, max(self.low, position - 400), max(self.low, position)), None)
        return segment(self.text, *bounds) if bounds else None

    def header(self, line: int) -> str | None:
        """The nearest line above with more than 4 characters, folded, if it ends with a colon; looks at most 8 lines up."""
        for _ in range(8):
            high = line - 1
            if high <= self.low:
                break
            line = self.text.rfind("\n", max(self.low, high - 200), max(self.low, high)) + 1 or self.low
            above = self.text[line:high].strip(LEADS)
            if len(above) > 4:
                return fold(above).lower() if above[-1] in ":：" else None
        return None

    def is_theirs(self, position: int) -> bool:
        """Whether a position, or the code block around it, is under a heading for an example or for someone else's words."""
        fence = self.text.rfind(FENCE, self.low, position)
        inside = fence >= 0 and self.text.count(FENCE, self.low, position) % 2 == 1
        line = self.line_start(fence if inside else position)
        if by_place.EXAMPLE.match(self.header(line) or ""):
            return True
        above = self.above(line) if inside else None
        return above is not None and by_place.THEIR_CODE.search(above.low) is not None

    @cached_property
    def heads(self) -> tuple[tuple[int, int], ...]:
        """The positions of lines that begin with a letter, as in a list, and the letter's option."""
        matches = marks.HEAD_LETTER.finditer(self.text, max(self.low, self.high - LOOKED_AT), self.high)
        return tuple((head.start(), ord(head[1].lower()) - ord("a")) for head in matches)

    def named_heads(self) -> Iterator[tuple[int, int]]:
        """The positions of lines that begin with an option's words, and that option."""
        for line in self.sentences():
            option_text = (
                self.want.at(line.low, begin(line, self.want)) if line.start == self.line_start(line.start) else None
            )
            if option_text is not None and option_text[0] is not None:
                yield line.start, option_text[0]

    def listed(self, position: int, option: int) -> bool:
        """Whether a line belongs to a list of options: the previous letter is above it or the next letter below it."""
        i = bisect_left(self.heads, (self.line_start(position), -1))
        above = self.heads[i - 1][1] if i else None
        return above == option - 1 or self.goes_on_after(position, option)

    def in_list(self, seg: Segment) -> bool:
        """Whether a sentence belongs to a list of options."""
        head = mention_at(seg, begin(seg, self.want), self.want)
        return head is not None and head.option is not None and self.listed(seg.start, head.option)

    def goes_through(self, start: int, end: int) -> list[re.Match[str]]:
        """Each option with a word of what it is, where that is all that stands between two positions: "A: no, B: yes, …"."""
        items = [*by_place.EACH_OPTION.finditer(self.text, max(start, end - HEAD), end)] if self.want.n > 2 else []
        is_complete = [item[1] for item in items] == [chr(ord("A") + i) for i in range(self.want.n)]
        return items if is_complete and "\n" not in self.text[items[0].start() : items[-1].end()] else []

    def begins_list(self, end: int, option: int | None) -> bool:
        """Whether the next line contains only the next option, which means that a list begins here."""
        if option is None or end >= self.high:
            return False
        while end < self.high and self.text[end].isspace():
            end += 1
        stop = self.text.find("\n", end, self.high)
        seg = segment(self.text, end, self.high if stop < 0 else stop)
        mention = mention_at(seg, begin(seg, self.want), self.want)
        if mention is None or mention.option != option + 1:
            return False
        words = words_after(seg, mention, self.want)
        return words is not None and words[0] == mention.option and not seg.low[words[1] :].strip(" .!\"')")

    def goes_on_after(self, position: int, option: int | None) -> bool:
        """Whether the next line that begins with a letter has the next letter."""
        i = bisect_left(self.heads, (position + 1, -1))
        return option is not None and self.heads[i : i + 1] != () and self.heads[i][1] == option + 1
