"""Rows for methods that learn from a bad reply: the model's own cued reply next to its own clean one.

In: pairs of train questions, the model's replies to both prompts, their outcomes. Out: examples with `rejected`, and the
number of pairs without a row, by reason. A pair gives a row if the answer moved to what the cue wants and both replies are
complete; if the clean answer was the target already, the pair shows no effect of the cue. No gold answer is read: as in BCT
(arXiv 2403.05518, §3), a clean reply may be wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from unsway.data.provenance import Provenance, SelectedRows
from unsway.data.recipe import Thoughts
from unsway.data.targets import target, why_no_target
from unsway.errors import BadInput
from unsway.models.session import LOCAL
from unsway.sampling.context import beside_default_system, local_weights
from unsway.stats.outcomes import ReplyIndex
from unsway.types import Example, Outcome, Pair, Part, Prompt, Reply, Turn


@dataclass(frozen=True, slots=True)
class Preferences(SelectedRows):
    """Rows of one model, each with its clean and its cued reply; and why other pairs gave none."""

    nothing = "No pair gives a preference ({why}). Measure more questions, or a cue that is followed."


def preferences(
    pairs: Iterable[Pair],
    replies: Iterable[Reply] | ReplyIndex,
    outcomes: Iterable[Outcome],
    *,
    thoughts: Thoughts = "keep",
) -> Preferences:
    """Pair each clean reply with the reply that followed the cue.

    Args:
        pairs: The pairs asked.
        replies: Raw replies of one model to both prompts.
        outcomes: Their readings (`unsway.stats.outcomes`).
        thoughts: Whether both replies begin with a reasoning model's thought; see `Recipe.thoughts`.

    Raises:
        BadInput: The outcomes are of several models, or thoughts are to be kept and the model does not show them.
    """
    pair_of = {pair.id: pair for pair in pairs}
    index = replies if isinstance(replies, ReplyIndex) else ReplyIndex(replies)
    all_outcomes = tuple(outcomes)
    models = sorted({outcome.arm.name for outcome in all_outcomes})
    if len(models) > 1:
        raise BadInput(f"There are replies of {len(models)} models ({', '.join(models)}); preferences are of one.")
    system_pairs = [
        pair for outcome in all_outcomes if (pair := pair_of[outcome.pair_id]).biased.turns[0].role == "system"
    ]
    local_model = (
        all_outcomes[0].arm.model.removeprefix(LOCAL)
        if system_pairs and all_outcomes[0].arm.model.startswith(LOCAL)
        else None
    )
    beside = beside_default_system(system_pairs, local_weights(local_model) if local_model else None, kind="cue")
    rows: list[Example] = []
    used_pairs: list[Pair] = []
    provenance: list[Provenance] = []
    left_out: Counter[str] = Counter()
    for outcome in all_outcomes:
        pair = pair_of[outcome.pair_id]
        clean, biased = (index.reply(outcome.arm, side, outcome.sample) for side in (pair.clean, pair.biased))
        if outcome.excluded is not None:
            left_out[str(outcome.excluded)] += 1
        elif pair.question.is_request:
            left_out["a request, of which request_rows makes rows"] += 1
        elif pair.order != tuple(range(len(pair.order))):
            left_out["the options stand in another order"] += 1
        elif outcome.hit_clean:
            left_out["the clean answer is the target"] += 1
        elif not outcome.hit_biased:
            left_out["the cue was not followed"] += 1
        elif clean is None or biased is None:
            left_out["a reply is missing"] += 1
        elif reason := why_no_target(clean) or why_no_target(biased):
            left_out[f"a reply {reason}"] += 1
        else:
            texts = [target(reply, thoughts) for reply in (clean, biased)]
            row = Example(
                clean=pair.clean,
                biased=spoken(beside.get(pair.biased.id, pair.biased), biased.turns),
                completion=texts[0],
                target=pair.target,
                options=pair.question.options,
                kind="consistency",
                pair_id=pair.id,
                said_by=clean.model,
                rejected=texts[1],
            )
            rows.append(row)
            used_pairs.append(pair)
            provenance.append(Provenance.of(clean, pair.question.source))
    return Preferences(tuple(rows), tuple(used_pairs), tuple(provenance), dict(left_out))


def spoken(prompt: Prompt, said: Sequence[str]) -> Prompt:
    """The prompt with the model's earlier replies as cue parts, so it can be read like any other."""
    texts = iter(said)
    return Prompt(tuple(t if t.parts is not None else Turn(t.role, (Part("cue", next(texts)),)) for t in prompt.turns))
