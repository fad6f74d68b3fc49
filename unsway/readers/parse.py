"""Which option a reply commits to, if any.

In: the text of a reply and the options it could choose (or how many). Out: a `Reading`: the option, or why there is
none, the rule that decided and where it fired. The last commitment counts. Unread is better than misread: what several
options share, what is only discussed, denied, supposed or said by others, is no answer.

Rules, by name. After a phrase: `answer` ("the answer is …"), `boxed`, `first` ("I choose …"), `order` ("pick …"),
`change`, `leaves`, `it` ("it must be …"), `match` ("this matches …"), `label` ("A: …"), `but` ("not … but …"),
`correction` ("wait, no: …"), `so` ("therefore, …"), `foreign`. Before one: `verdict` ("… is correct"). By its place:
`line` (a line of its own), `leading` (the reply begins with it), `closing` (it ends with it). With `_text` at its
end, the option was named by its words; with `_words`, by its letter and its words. No answer: `stop`, `filter`,
`thought` (one that never closed), `empty`, `nothing`, `refusal`, `taken_back`, `none_fits`, `no_such_option`,
`unreadable` (an answer is announced, but its words name no option), `several` (two options at once),
`letter_against_text` (the letter of one option, the words of another), `conflict` (two commitments that nothing ranks).
`reasoning_` before a name: read in the reasoning channel.

Source of what must not go wrong: the failures of the parser released with arXiv 2403.05518.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from unsway.errors import BadInput
from unsway.readers.channels import split
from unsway.readers.reading import Passage
from unsway.readers.wording import KnownOptions, wanted
from unsway.types import Reading, Stop

PARSER = "read@2"
"""Version of the reader; moves whenever an answer could change."""

LONGEST = 1_000_000
"""Characters at its end beyond which nothing is looked for, not even the end of a thought."""


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
        text: The reply. Of a longer one, the first 1,000 and the last 4,000 characters are read. What follows a thought
            is read, up to where another turn begins (`unsway.readers.channels`).
        options: The options in the order shown; needed to read an option that is named by its words.
        n_options: How many options there are, where their texts are not at hand.
        reasoning: The reasoning channel, read only where the reply is empty; the span is None then.
        stop: Why the reply ended. `length` is truncated and `filter` refused, whatever the reply says.

    Raises:
        BadInput: Neither options nor their number is given, they disagree, or the number is not 1 to 26.
    """
    n = n_options if options is None else len(options)
    if n is None:
        raise BadInput("read() needs the options, or how many there are (n_options).")
    if n_options is not None and n_options != n:
        raise BadInput(f"read() got {n} options and n_options={n_options}; give one of them, or the same number.")
    if not 1 <= n <= 26:
        raise BadInput(f"read() got {n} options; 1 to 26 are allowed.")
    want = wanted(n, None if options is None else tuple(options))
    if stop == "length":
        return Reading(None, "truncated", "stop")
    if stop == "filter":
        return Reading(None, "refused", "filter")
    cut = max(0, len(text) - LONGEST)
    kept = text[cut:] if cut else text
    channels = split(kept)
    if channels.thought_kind == "cut":
        return Reading(None, "truncated", "thought")
    low, high = channels.said_span if channels.said else channels.thought_span
    if low < high:
        answer = Passage(kept, low, _next_question(kept, low, high, want), want).answer()
        if answer.span is None or not cut:
            return answer
        return replace(answer, span=(answer.span[0] + cut, answer.span[1] + cut))
    if reasoning and not reasoning.isspace():
        inner = read(reasoning, options=options, n_options=n_options)
        return replace(inner, rule=f"reasoning_{inner.rule}", span=None)
    return Reading(None, "unparsed", "empty")


_QUESTION = re.compile(r"\n[ *#]{0,6}Q(?:uestion)?(?: \d{1,2})?[ *]{0,3}:")


def _next_question(text: str, low: int, high: int, want: KnownOptions) -> int:
    """Where a reply that has answered goes on to a question of its own making; else where it ends."""
    found = _QUESTION.search(text, low, high) if "\nQ" in text or "Question" in text else None
    if found is None or not text[low : found.start()].strip():
        return high
    end = low + len(text[low : found.start()].rstrip())
    before = Passage(text, low, end, want).answer()
    return end if before.choice is not None and not before.rule.endswith("_text") else high
