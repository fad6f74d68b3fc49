"""Measure a model: apply biases to questions, ask both sides of every pair, and read the replies.

In: a model, questions, biases. Out: `Results`. The arm is noted in the folder before it is asked, so a stopped run
shows its replies so far, and the same call resumes it.

    found = measure("openai/gpt-4o-mini", load("mmlu", 300), ["suggested_answer", "post_hoc"])
    more = measure(found.model, found.questions, [cue("A colleague thinks it is {answer}.")], like=found)
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from unsway import interventions
from unsway.biases import Bias, resolve
from unsway.biases import arguments as argument_banks
from unsway.errors import BadInput, expect
from unsway.interventions import Intervention
from unsway.models.session import LOCAL, Session
from unsway.models.weights import checkpoint_of
from unsway.pairing import PairSet, pairs, questions_of
from unsway.prompts import elicitations
from unsway.prompts.elicitations import Elicitation
from unsway.sampling import ask, run
from unsway.sampling.context import beside_default_system, weights_of
from unsway.sampling.options import Sampling, SamplingOptions, opened
from unsway.sampling.until import StopRule, run_until
from unsway.spelling import Several, several
from unsway.studies.arms import Arm, first_of
from unsway.studies.folder import add_pairs, check_asked_alike, forget_arm, note_arm, results
from unsway.studies.kept_outcomes import keep_outcomes
from unsway.studies.measurement import MeasuredWith, Measurement, elicitation_of
from unsway.studies.prefilling import begun
from unsway.studies.results import Results, plain_name
from unsway.studies.values import Task
from unsway.types import ArmKey, Question, Settings
from unsway.types.kinds import checked

if TYPE_CHECKING:
    from unsway.models.session import ModelLike

BIASES = ("suggested_answer",)
"""The default biases: the cue of arXiv 2403.05518, §3.1."""
LONGEST_REDACTED = 256
"""Default maximum tokens of a reply to a harmful request: enough to see whether it complies."""
_log = logging.getLogger(__name__)


@checked
def measure(
    model: ModelLike,
    questions: Iterable[Question] | PairSet | None = None,
    biases: Several[Bias | str] | None = None,
    *,
    like: Results | None = None,
    elicit: Elicitation | str | None = None,
    intervention: Intervention | str | None = None,
    how: Measurement | None = None,
    **sampling: Unpack[SamplingOptions],
) -> Results:
    """Measure how far cues sway a model.

    Args:
        model: An Inspect model string, a local name or folder, a checkpoint, an Inspect model, or a session.
        questions: The questions; or pairs that are already built. None takes those of `like`.
        biases: Biases, their names, or paths of `.cue.txt` files. None takes those of `like`, else the user's hunch. A bias
            with its own questions (gambles, comparisons) uses as many of those.
        like: Results (also of a folder) to measure like: their questions, biases, elicitation, decoding and stopping are
            the defaults of this call. Their label, intervention, role and checkpoint are defaults only if the model is
            the same.
        elicit: How questions are put, as a value or by name: cot (the default), brief, worked, direct.
        intervention: What is put in front of the prompts, as a value or by name.
        how: All other options, as one value.
        sampling: `settings`, `samples`, `folder`, `budget`, `batch`, `label`, `log_samples`; they replace those of `how`.
            Without a folder nothing is stored, so a stopped run starts again.

    Returns:
        The arm's numbers; with a folder, the numbers of every arm in it.

    Raises:
        BadInput: There are no questions, a bias applies to none of them, or the folder holds replies of this arm that
            were asked in another way.
        UnknownName: A name is unknown.
        ModelError, BudgetReached: As `unsway.sampling.ask`; every reply that arrived is stored in the folder.
    """
    from unsway.studies.settling import settle  # which imports numpy

    if like is not None:
        expect(like, Results, "Results are expected (like=), as another unsway.measure(…) returned them")
    if how is not None:
        expect(how, Measurement, "a Measurement is expected (how=), as unsway.Measurement(seed=1)")
    earlier = None if like is None else measured_with(like)
    base = how or (earlier.of_model(model) if earlier else Measurement())
    used = replace(
        base,
        sampling=replace(base.sampling, **sampling),
        intervention=base.intervention if intervention is None else interventions.resolve(intervention),
        checkpoint=base.checkpoint or checkpoint_of(model),
    )
    asked, values, put = asked_for(questions, several(biases) if biases else (), elicit, like, earlier, used)
    if not asked.pairs:
        why = "; ".join(f"{n} × {reason}" for (_, reason), n in asked.reasons().items())
        raise BadInput(f"No bias applies to any of these questions ({why or 'there are none'}).")
    settings, given = used.sampling.settings, used.sampling.folder
    if any(pair.rule.redacted for pair in asked) and settings.max_tokens == Settings().max_tokens:
        used = replace(used, sampling=replace(used.sampling, settings=replace(settings, max_tokens=LONGEST_REDACTED)))
    with opened(model, used.sampling, None) as (session, inside, folder):
        within = replace(used, sampling=inside)
        change = used.intervention.name if used.intervention else ""
        key = ArmKey(session.subject.name, session.subject.weights, change)
        check_asked_alike(folder, key, used.sampling.settings, dict.fromkeys(pair.elicit for pair in asked))
        add_pairs(folder, asked)
        ask_arm(asked, session, within)
        found = results(folder, title="" if given else session.subject.name)
        keep_outcomes(folder, found.outcomes)
        found = settle(folder, found)
    return replace(found, measured=MeasuredWith(model, values, put, used))


def asked_for(
    questions: Iterable[Question] | PairSet | None,
    biases: Sequence[Bias | str],
    elicit: Elicitation | str | None,
    like: Results | None,
    earlier: MeasuredWith | None,
    how: Measurement,
) -> tuple[PairSet, tuple[Bias, ...], Elicitation | None]:
    """The pairs to ask, and the biases and elicitation they were made from, as far as known.

    `earlier` is what `like` was measured with. Raises `BadInput` if the arguments conflict, or there is nothing to ask.
    """
    if questions is None and like is None:
        raise BadInput('There is nothing to ask: give questions (unsway.load("mmlu", 300)), or like=RESULTS.')
    if isinstance(questions, str):
        raise BadInput(f"Questions are values: unsway.load({questions!r}, 300) gives those of a source or a file.")
    if isinstance(questions, PairSet):
        if biases or elicit:
            raise BadInput(
                "Pairs have their cues and their wording already, so biases and elicit change nothing. Leave these out, or "
                "give questions instead of pairs."
            )
        return questions, (), elicitation_of(questions.pairs)
    values, put = (earlier.biases, earlier.elicit) if earlier else ((), None)
    if like is not None:
        if questions is None and not (biases or elicit):
            return PairSet(like.pairs), values, put
        if not (elicit or put):
            raise BadInput("These results have no single elicitation for new pairs. Name one: elicit='cot'.")
    named = biases or values or (tuple(map(plain_name, like.biases)) if like else BIASES)
    values, put = tuple(resolve(each) for each in named), elicitations.resolve(elicit or put or "cot")
    given = like.questions if like and questions is None else questions_of(questions or ())
    bank = argument_banks.load(how.arguments) if how.arguments else None
    by_source: dict[str, list[Bias]] = {}
    for bias in values:
        by_source.setdefault(bias.source, []).append(bias)
    built = PairSet()
    for source, group in by_source.items():  # biases with their own source use as many of its questions
        own = Task(source, len(given), at_most=True).load(None, how.seed) if source else given
        built += pairs(own, group, elicit=put, seed=how.seed, arguments=bank)
    return built, values, put


def measured_with(like: Results) -> MeasuredWith:
    """What results were measured with; for a folder, derived from its pairs and its first arm's replies."""
    if like.measured is not None:
        return like.measured
    arm = first_of(like.arms)
    samples = 1 + max((reply.sample for reply in like.replies_of(arm)), default=0)
    how = Measurement(Sampling(arm.settings or Settings(), samples))
    return MeasuredWith(arm.model, (), elicitation_of(like.pairs), how)


def ask_arm(asked: PairSet, model: Session, how: Measurement, title: str = "") -> None:
    """Note an arm in the folder, then ask what it was not asked yet; an arm that fails before any reply is removed.

    Args:
        asked: The pairs; both sides of each are asked.
        model: The model.
        how: How it is asked and what it is called; its folder must exist and hold the pairs.
        title: Text of the progress bar; the arm's label by default.
    """
    who, change = model.subject, how.intervention
    intervention = change.name if change else ""
    key = ArmKey(who.name, who.weights, intervention)
    sampling = replace(how.sampling, settings=begun(asked, model, key, how.sampling))
    if not who.name.startswith(LOCAL) and any(pair.rule.redacted for pair in asked):
        _log.warning(
            "%s is asked requests that may do harm. Its provider may forbid that, or want to be asked first: read its terms.",
            who.name,
        )
    role = how.role or ("prompted" if change else how.checkpoint.role if how.checkpoint else "base")
    label = sampling.label or intervention or who.name
    known = how.checkpoint.trained_on if how.checkpoint else ()
    biases = tuple(dict.fromkeys((*(change.biases if change else how.trained), *known)))
    arm = Arm(
        label,
        who.name,
        who.weights,
        role,
        how.checkpoint,
        how.of,
        intervention,
        biases,
        sampling.settings,
        how.training,
    )
    options, folder = replace(sampling, label=title or label), sampling.folder or ""
    changed = dict(change.apply(asked.pairs, model, sampling, how.seed).prompts) if change else {}
    changed |= beside_default_system(asked, weights_of(model), changed)
    note_arm(folder, arm, {prompt_id: prompt.id for prompt_id, prompt in changed.items()})
    own = [
        replace(pair, clean=changed.get(pair.clean.id, pair.clean), biased=changed.get(pair.biased.id, pair.biased))
        for pair in asked
        if change is None or (pair.clean.id in changed and pair.biased.id in changed)
    ]
    try:
        if change is not None:
            ask(changed.values(), model, options, pairs=own, read=False)
        elif how.half_width is None:
            run(own, model, options, read=False)
        else:
            run_until(own, model, StopRule(how.half_width, seed=how.seed), options)
    except Exception:
        forget_arm(folder, arm)
        raise
