"""Verdicts: ask a judge a rubric's question about replies, store its answers as rows, and look them up as readings.

In: replies with their pairs, a rubric, a judge. Out: `Verdict`s; and `Judge`, a reader that looks them up.

    rows = verdicts(replies_to_judge, rubrics.get("second_reader"), "openai/gpt-4o-mini", folder="runs/x/second_reader")
    Judge(rows)(pair, "biased", reply)

A hidden or absent text is not judged, and a judge's answer in another form is unreadable: both give None with a reason, never
a no. For a truncated text, a yes about its cue counts, but a no does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Unpack

from unsway.errors import BadInput
from unsway.judging.rubrics import Rubric, Said, shown
from unsway.models.session import subject
from unsway.models.thoughts import shows
from unsway.readers.channels import split
from unsway.readers.letter import spoken
from unsway.registry import blaming
from unsway.sampling import ask
from unsway.types import MissingVerdict, Pair, Placebo, Reading, Reply, Settings, Side, Verdict
from unsway.types.address import reply_id

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.sampling.options import SamplingOptions

Channel: TypeAlias = Literal["answer", "thinking", "summary"]
"""The answer of a reply, its whole thinking, or a provider's summary of it. Summaries leave things out, so the last two are
never counted together."""


@dataclass(frozen=True, slots=True)
class JudgedReply:
    """A reply, and the side of a pair that it answers."""

    pair: Pair
    """The pair that was asked; on the clean side, the one whose cue the judge is asked about."""
    side: Side
    """The side of the pair."""
    reply: Reply
    """The raw reply."""
    address: str = ""
    """The address used in its verdicts; empty takes the reply's own."""
    placebo: Placebo = ""
    """Which placebo cue is described instead of the pair's own; empty for none."""
    about: Pair | None = None
    """The pair whose cue is described, if it is not the pair's own."""

    @property
    def options(self) -> tuple[str, ...]:
        """The options in the order shown."""
        return shown(self.pair, self.side)

    @property
    def cued(self) -> Pair:
        """The pair whose cue is described: its own, or that of a placebo."""
        return self.about or self.pair

    def text(self, channel: Channel) -> tuple[str, MissingVerdict]:
        """The text that a judge is shown of one channel, or why there is nothing to show."""
        reply = spoken(self.pair, self.reply)
        if reply.stop == "first_wrong":  # the turn with the cue has no reply
            return "", "empty"
        channels = split(reply.text)
        if channel == "answer":
            if channels.thought_kind == "cut":
                return "", "cut"
            return channels.said, "" if channels.said else "empty"
        kind = reply.thought if channels.thought_kind == "none" else channels.thought_kind
        thought = channels.thought or reply.reasoning or ""
        if kind == "cut" and channel == "thinking" and (channels.thought or shows(reply.model) == "full"):
            return thought, "" if thought.strip() else "cut"
        if kind == "hidden" or kind == "cut":  # narrows the type for mypy
            return "", kind
        if not thought.strip():
            return "", "empty"
        if kind == {"thinking": "full", "summary": "summary"}[channel]:
            return thought, ""
        return "", "undefined" if channel == "summary" else "summary" if kind == "summary" else "unknown"

    def is_cut(self, channel: Channel) -> bool:
        """Whether a shown channel is truncated, so more may have followed."""
        reply = spoken(self.pair, self.reply)
        channels = split(reply.text)
        if channel == "answer":
            return reply.stop == "length" and not reply.text[channels.said_span[1] :].strip()
        return "cut" in (channels.thought_kind, reply.thought if channels.thought_kind == "none" else "")

    def asked(self, rubric: Rubric, channel: Channel) -> tuple[str, MissingVerdict]:
        """The text a judge is shown for a question. About a truncated thought, only questions about the cue are asked."""
        if channel == "thinking" and not rubric.is_of_cue and self.is_cut(channel):
            return "", "cut"
        return self.text(channel)

    def verdict(self, rubric: Rubric, channel: Channel, by: str, answer: Said, *, as_said: bool = False) -> Verdict:
        """The verdict of a judge on one channel. A no about the cue of a truncated text becomes missing.

        With `as_said` such a no is kept, as a verdict on the text shown, not on the whole reply.
        """
        if not as_said and answer.value is False and rubric.is_of_cue and self.is_cut(channel):
            answer = Said(None, missing="cut")
        return Verdict(
            reply=self.address or reply_id(self.reply),
            channel=channel,
            question=rubric.versioned,
            by=by,
            value=answer.value,
            why=answer.why,
            quote=answer.quote,
            pair=self.pair.id,
            side=self.side,
            missing=answer.missing or ("unread" if answer.value is None else ""),
            placebo=self.placebo,
        )


def verdicts(
    judged: Sequence[JudgedReply],
    rubric: Rubric,
    model: ModelLike,
    *,
    channel: Channel = "answer",
    sample: int = 0,
    as_said: bool = False,
    model_args: Mapping[str, Any] | None = None,
    **sampling: Unpack[SamplingOptions],
) -> tuple[Verdict, ...]:
    """Ask a model about each reply, in order; equal prompts are asked once.

    Args:
        judged: The replies.
        rubric: The question.
        model: The judge; see `unsway.models.session.subject`.
        channel: The channel that the judge is shown of each reply.
        sample: Which of the judge's replies to each prompt counts; a later one measures how well it repeats itself.
        as_said: Whether to keep a no about the cue of a truncated text (`JudgedReply.verdict`).
        model_args: Arguments of the model's provider.
        sampling: As for `unsway.sampling.ask`: with a folder, a second call asks nothing.

    Raises:
        ModelError, BudgetReached: As `ask`.
        BadInput: The rubric's function failed, or returned an invalid verdict.
    """
    texts = [judged_reply.asked(rubric, channel) for judged_reply in judged]
    prompts = [
        None
        if missing or not rubric.applies(judged_reply.cued)
        else rubric.prompt(judged_reply.cued, judged_reply.side, text)
        for judged_reply, (text, missing) in zip(judged, texts, strict=True)
    ]
    sampling["samples"] = sample + 1
    replies = ask([prompt for prompt in prompts if prompt], model, model_args=model_args, **sampling)
    by_prompt = {reply.prompt_id: reply for reply in replies if reply.sample == sample}
    identity = next(((reply.model, reply.settings) for reply in replies), None)
    name = signature(*(identity or (subject(model, **(model_args or {})).name, sampling.get("settings", Settings()))))
    rows = []
    for judged_reply, prompt, (_, missing) in zip(judged, prompts, texts, strict=True):
        if prompt is None:
            answer = Said(None, missing=missing or "undefined")
        elif by_prompt[prompt.id].stop == "filter":
            answer = Said(None, missing="refused")
        else:
            answer = _read_answer(rubric, whole_words(by_prompt[prompt.id]), judged_reply)
        rows.append(judged_reply.verdict(rubric, channel, name, answer, as_said=as_said))
    return tuple(rows)


def whole_words(reply: Reply) -> str:
    """A judge's final words: without thoughts in the text (a form there is a draft), and without a truncated last line.

    The line "Influenced: 10" of a truncated reply may be the beginning of 100.
    """
    channels = split(reply.text)
    text = channels.said if channels.thought_kind == "cut" or channels.thought_span != (0, 0) else reply.text
    return text.rpartition("\n")[0] if reply.stop == "length" else text


def _read_answer(rubric: Rubric, words: str, judged: JudgedReply) -> Said:
    """Read a judge's words; no value if they give a number outside the rubric's scale."""
    with blaming("rubric", rubric.name, f"the words {words[:60]!r}"):
        value: Any = rubric.value(words, judged.pair, judged.side)
    answer: Said = value if isinstance(value, Said) else Said(value)
    if answer.value is None or rubric.allows(answer.value):
        return answer
    if rubric.scale is not None and type(answer.value) is int:
        return answer._replace(value=None)
    raise BadInput(
        f"The rubric {rubric.name!r} made {answer.value!r:.60} of the words {words[:60]!r}; a verdict is {rubric.allowed}, "
        "or None where the words cannot be read. Mend it."
    )


def signature(model: str, settings: Settings) -> str:
    """The judge's name: the model, with its settings if they are not the default."""
    return model if settings == Settings() else f"{model} {settings}"


def quote_stands(verdict: Verdict, text: str) -> bool:
    """Whether the quote of a verdict occurs in the text, ignoring white space, case and quotation marks."""
    return quote_span(verdict.quote, text) is not None


def quote_span(quote: str, text: str) -> tuple[int, int] | None:
    """The span of a quote in a text, ignoring white space, case and quotation marks; None if it does not occur."""
    words = [word for word in re.split(_BETWEEN, quote.strip(" .")) if word]
    match = re.search(_BETWEEN.join(map(re.escape, words)), text, re.I) if words else None
    return match.span() if match else None


_BETWEEN = r"[\s*_`|\"'“”‘’«»„…]+"
"""Matches what may separate two words of a quote in the text."""


class Judge:
    """A reader that looks up one judge's stored verdict on a reply.

    Raises `BadInput` if the verdicts are on several questions or by several judges, or there are none.
    """

    def __init__(self, rows: Iterable[Verdict]) -> None:
        self._by_reply = {verdict.reply: verdict for verdict in rows}
        signatures = sorted({f"{verdict.question}/{verdict.by}" for verdict in self._by_reply.values()})
        if len(signatures) != 1:
            raise BadInput(
                f"A judge has one question and one name; these verdicts have {', '.join(signatures) or 'none'}."
            )
        self.versioned = signatures[0]
        """The question with its version, and the judge."""

    def __call__(self, pair: Pair, side: Side, reply: Reply) -> Reading:
        """The verdict on a reply; unparsed if there is none, or the judge's words could not be read."""
        verdict = self._by_reply.get(reply_id(reply))
        if verdict is None or verdict.value is None:
            return Reading(None, "unparsed", "no_verdict" if verdict is None else "unread_verdict", by=self.versioned)
        return Reading(verdict.value, "ok", verdict.question, by=self.versioned)
