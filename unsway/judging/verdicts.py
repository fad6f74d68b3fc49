"""Verdicts: a model is asked a rubric's question about replies; what it said is kept as rows, and read like any reading.

In: replies with their pairs, a rubric, a model. Out: `Verdict`s; and `Judge`, a reader that looks them up.

    found = verdicts(replies_to_judge, rubrics.get("second_reader"), "openai/gpt-4o-mini", folder="runs/x/second_reader")
    Judge(found)(pair, "biased", reply)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from unsway.errors import BadInput
from unsway.judging.rubrics import Rubric, shown
from unsway.sampling import ask
from unsway.store import Address
from unsway.types import Pair, Reading, Reply, Settings, Side, Verdict

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.sampling.options import SamplingOptions


@dataclass(frozen=True, slots=True)
class JudgedReply:
    """A reply, and the side of a pair that it answers."""

    pair: Pair
    """The pair that was asked."""
    side: Side
    """The side of the pair."""
    reply: Reply
    """The raw reply."""

    @property
    def options(self) -> tuple[str, ...]:
        """The options in the order shown."""
        return shown(self.pair, self.side)


def verdicts(
    judged: Sequence[JudgedReply],
    rubric: Rubric,
    model: ModelLike,
    *,
    model_args: Mapping[str, Any] | None = None,
    **sampling: Unpack[SamplingOptions],
) -> tuple[Verdict, ...]:
    """Ask a model about each reply, in order; equal prompts are asked once.

    Args:
        judged: The replies.
        rubric: The question.
        model: Who judges; see `unsway.models.session.subject`.
        model_args: Arguments of the model's provider.
        sampling: As for `unsway.sampling.ask`: with a folder, a second call asks nothing.

    Raises:
        ModelError, BudgetReached: As `ask`.
    """
    prompts = [rubric.prompt(each.pair, each.side, each.reply) for each in judged]
    said = {reply.prompt_id: reply for reply in ask(prompts, model, model_args=model_args, **sampling)}
    found = []
    for each, prompt in zip(judged, prompts, strict=True):
        reply = said[prompt.id]
        found.append(
            Verdict(
                reply=Address.of(each.reply).key().hex(),
                channel="answer",
                question=rubric.versioned,
                by=reply.model if reply.settings == Settings() else f"{reply.model} {reply.settings}",
                value=rubric.value(reply.text, each.pair, each.side),
            )
        )
    return tuple(found)


class Judge:
    """A reader whose verdicts are kept: it looks up what one judge said of a reply.

    Raises `BadInput` where the verdicts are on several questions or by several judges, or there are none.
    """

    def __init__(self, kept: Iterable[Verdict]) -> None:
        self._by_reply = {verdict.reply: verdict for verdict in kept}
        signed = sorted({f"{verdict.question}/{verdict.by}" for verdict in self._by_reply.values()})
        if len(signed) != 1:
            raise BadInput(f"A judge has one question and one name; these verdicts have {', '.join(signed) or 'none'}.")
        self.versioned = signed[0]
        """The question with its version, and who judged."""

    def __call__(self, pair: Pair, side: Side, reply: Reply) -> Reading:
        """The verdict on a reply; unparsed where there is none, or where the judge's words could not be read."""
        verdict = self._by_reply.get(Address.of(reply).key().hex())
        if verdict is None or verdict.value is None:
            return Reading(None, "unparsed", "no_verdict" if verdict is None else "unread_verdict", by=self.versioned)
        return Reading(verdict.value, "ok", verdict.question, by=self.versioned)
