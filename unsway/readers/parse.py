"""Which option a reply commits to, if any.

In: the text of a reply and the options it could choose (or their number). Out: a `Reading`: the option, or why there is
none, the rule that decided and its position in the reply. Four steps, each in its own module:

1. `channels`: the part of the text that the model said rather than thought, and the end of its reply.
2. `claims` (for other languages `languages`): what each sentence commits to.
3. `speakers`: whose words a sentence reports, and whether the reply agrees with them.
4. `reading`: the last explicit commitment beats any list, table or line of letters around it, and a correction beats it.
   Otherwise the reply is unread, with a reason. Unread is better than misread.

Explicit, after a phrase: `answer` ("the answer is …"), `boxed`, `first` ("I choose …"), `order` ("pick …"), `makes`
("making the answer …"), `change`, `leaves`, `correction` ("wait, no: …"), `so` ("therefore, …"), `but`, `but_is` ("not
… but …", "but … is"), `label` ("A: …"), `agree` ("I agree: …"), `agrees` (with another speaker), `foreign` (in another
language), `code` (`return "B"`). Weaker: `verdict` ("… is correct"), `it` ("it must be …"), `named` ("which is
option …"), `match` ("this matches …"), `points` ("the evidence points to …"), `numbered` (the option's number), `stated`
(the only option stated). By position: `line` (fills a line), `leading` (begins the reply), `closing` (ends it), `short` (a
few words with one letter), `marked` (the only line of a list that is called right), `odds` (more than half of the
probability), `field` (of JSON or XML, or the line with an arrow).

With `_text` at its end, the rule found the option by its words; with `_words`, by its letter and its words. With
`reasoning_` before it, it was read in the reasoning channel, which counts only if the reply is empty and the thought ends
with its answer.

No answer: `stop`, `filter`, `thought` (one that never closed), `empty`, `nothing`, `refusal`, `reported` (only someone
else's answer), `undecided`, `taken_back` (or all are called wrong), `no_such_option`, `unreadable` (an answer is announced,
but its words name no option), `several` (two options at once), `letter_against_text` (the letter of one option, the words of
another), `conflict` (two commitments of equal rank).

Source of the failures to avoid: the parser released with arXiv 2403.05518.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from unsway.errors import BadInput
from unsway.readers.channels import split
from unsway.readers.layout import ReplyLayout
from unsway.readers.patterns import marks
from unsway.readers.questions import ends
from unsway.readers.reading import answer as answer_of
from unsway.readers.wording import KnownOptions, sentences_from_the_end, wanted
from unsway.types import Question, Reading, Reply, Stop

PARSER = "mcq@9"
"""Version of the reader; changes whenever an answer could change."""

CACHED = 4096
"""Readings kept in memory: biases share a question's clean reply, and all numbers of a side effect share its replies."""

LONGEST = 1_000_000
"""Characters at the end of a reply that are considered at all, even for the end of a thought."""


def read(
    text: str,
    *,
    options: Sequence[str] | None = None,
    n_options: int | None = None,
    reasoning: str | None = None,
    stop: Stop = "end",
) -> Reading:
    """Read which option a reply commits to.

    Args:
        text: The reply. Of a long one, only the first 1,000 and the last 4,000 characters are read. Reading starts
            after a thought and stops where another turn begins (`unsway.readers.channels`).
        options: The options in the order shown; needed to read an option named by its words.
        n_options: The number of options, if their texts are not available.
        reasoning: The reasoning channel, read only if the reply is empty; the span is None then.
        stop: Why the reply ended. `filter` is read as refused, whatever the text; `length` as truncated, unless the answer is
            stated outright in a finished paragraph before the cut.

    Raises:
        BadInput: Neither the options nor their number are given, they disagree, or the number is not 1 to 26.
    """
    n = n_options if options is None else len(options)
    if n is None:
        raise BadInput("read() needs the options, or how many there are (n_options).")
    if n_options is not None and n_options != n:
        raise BadInput(f"read() got {n} options and n_options={n_options}; give one of them, or the same number.")
    if not 1 <= n <= 26:
        raise BadInput(f"read() got {n} options; 1 to 26 are allowed.")
    want = wanted(n, None if options is None else tuple(options))
    if stop == "filter":
        return Reading(None, "refused", "filter")
    cut = max(0, len(text) - LONGEST)
    tail = text[cut:] if cut else text
    if tail.startswith("<s>") and marks.STRUCK_OR_ENDED.match(tail):
        return Reading(None, "ambiguous", "several")
    channels = split(tail)
    if channels.thought_kind == "cut":
        return Reading(None, "truncated", "thought")
    low, high = channels.said_span if channels.said else channels.thought_span
    tags = marks.TAGS_BEHIND.search(tail, max(low, high - 100), high) if tail[high - 1 : high] == ">" else None
    high = tags.start() if tags and tags.start() > low else high
    if stop == "length":
        whole = bool(channels.said and tail[channels.said_span[1] :].strip())
        return _read_before_cut(tail, low, high, want, whole=whole)
    if low < high:
        answer = answer_of(ReplyLayout(tail, low, high, want))
        if not channels.said and not _concludes(tail, high, answer):
            return Reading(None, "truncated", "thought")
        for position, surely in ends(tail, low, high, want):
            if answer.span is not None and answer.span[1] <= position:
                break
            earlier = _read_until(tail, low, position, want)
            if surely or (earlier.choice is not None and earlier.rule not in _PROSE_RULES):
                answer = earlier
                break
        if answer.span is None or not cut:
            return answer
        return replace(answer, span=(answer.span[0] + cut, answer.span[1] + cut))
    if reasoning and not reasoning.isspace():
        thought_reading = read(reasoning, options=options, n_options=n_options)
        if thought_reading.choice is not None and not _concludes(reasoning, len(reasoning.rstrip()), thought_reading):
            return Reading(None, "truncated", "reasoning_thought")
        return replace(thought_reading, rule=f"reasoning_{thought_reading.rule}", span=None)
    return Reading(None, "unparsed", "empty")


@lru_cache(maxsize=CACHED)
def reading_of(text: str, reasoning: str | None, stop: Stop, shown: tuple[str, ...]) -> Reading:
    """The result of `read` for options in the order shown; if their texts are empty, only their number is used."""
    arguments = {"options": shown} if any(shown) else {"n_options": len(shown)}
    return read(text, **arguments, reasoning=reasoning, stop=stop)


def choice_of(question: Question, reply: Reply) -> int | None:
    """The option of a question that a reply commits to, or None."""
    return reading_of(reply.text, reply.reasoning, reply.stop, tuple(question.options)).choice


_EXPLICIT_RULES = frozenset("answer boxed agree first change line foreign agrees so makes verdict".split())
"""Rules that fire on an outright statement of the answer."""


_PROSE_RULES = frozenset(("closing_text", "leading_text", "stated_text"))
"""Rules that fire when a sentence mentions an option in passing, before the reply repeats its question."""


def _read_until(text: str, low: int, high: int, want: KnownOptions) -> Reading:
    """What a reply commits to before a place."""
    high = low + len(text[low:high].rstrip())
    return answer_of(ReplyLayout(text, low, high, want)) if low < high else Reading(None, "unparsed", "nothing")


def _read_before_cut(text: str, low: int, high: int, want: KnownOptions, *, whole: bool) -> Reading:
    """The outright answer in a finished paragraph of a cut reply, if the text after it neither doubts nor differs.

    If another turn or question follows, the cut is in that one, and the reply before it is `whole`.
    """
    cut = Reading(None, "truncated", "stop")
    positions = [*ends(text, low, high, want)]
    positions += [(high, True)] if whole and not any(surely for _, surely in positions) else []
    if positions:
        answers = (_read_until(text, low, position, want) for position, _ in positions)
        return next((answer for answer in answers if answer.choice is not None), cut)
    closed = text.rfind("\n\n", low, high)
    if closed < 0:
        return cut
    answer = _read_until(text, low, closed, want)
    if answer.choice is None or answer.rule.split("_")[0] not in _EXPLICIT_RULES or answer.span is None:
        return cut
    doubts = marks.GOES_BACK.search(text, answer.span[1], high)
    return cut if doubts or answer_of(ReplyLayout(text, low, high, want)).choice != answer.choice else answer


def _concludes(thought: str, high: int, answer: Reading) -> bool:
    """Whether a thought with nothing after it ends with its answer, in a complete last sentence."""
    if answer.span is None:
        return answer.choice is None
    last = next(sentences_from_the_end(thought, max(0, high - 1000), high), (0, high))
    return answer.span[1] > last[0] and (high - answer.span[1] < 3 or thought[high - 1] in ".!)]}*\"'。।")
