"""Measure a model: apply biases to questions, ask both sides of every pair, and read the replies.

In: a model, questions, biases. Out: `Results`. The arm is noted in the folder before it is asked, so a stopped run
shows its replies so far, and the same call resumes it.

    results = measure("openai/gpt-4o-mini", load("mmlu", 300), ["suggested_answer", "post_hoc"])
    more = measure(results.model, results.questions, [cue("A colleague thinks it is {answer}.")], like=results)
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
from unsway.studies.prefilling import prefill_settings
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
    measurement = replace(
        base,
        sampling=replace(base.sampling, **sampling),
        intervention=base.intervention if intervention is None else interventions.resolve(intervention),
        checkpoint=base.checkpoint or checkpoint_of(model),
    )
    pair_set, bias_values, elicitation = pairs_to_ask(
        questions, several(biases) if biases else (), elicit, like, earlier, measurement
    )
    if not pair_set.pairs:
        why = "; ".join(f"{n} × {reason}" for (_, reason), n in pair_set.reasons().items())
        raise BadInput(f"No bias applies to any of these questions ({why or 'there are none'}).")
    settings, named_folder = measurement.sampling.settings, measurement.sampling.folder
    if any(pair.rule.redacted for pair in pair_set) and settings.max_tokens == Settings().max_tokens:
        measurement = replace(
            measurement, sampling=replace(measurement.sampling, settings=replace(settings, max_tokens=LONGEST_REDACTED))
        )
    with opened(model, measurement.sampling, None) as (session, inner_sampling, folder):
        inner = replace(measurement, sampling=inner_sampling)
        intervention_name = measurement.intervention.name if measurement.intervention else ""
        key = ArmKey(session.subject.name, session.subject.weights, intervention_name)
        check_asked_alike(folder, key, measurement.sampling.settings, dict.fromkeys(pair.elicit for pair in pair_set))
        add_pairs(folder, pair_set)
        ask_arm(pair_set, session, inner)
        study_results = results(folder, title="" if named_folder else session.subject.name)
        keep_outcomes(folder, study_results.outcomes)
        study_results = settle(folder, study_results)
    return replace(study_results, measured=MeasuredWith(model, bias_values, elicitation, measurement))


def pairs_to_ask(
    questions: Iterable[Question] | PairSet | None,
    biases: Sequence[Bias | str],
    elicit: Elicitation | str | None,
    like: Results | None,
    earlier: MeasuredWith | None,
    measurement: Measurement,
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
    bias_values, elicitation = (earlier.biases, earlier.elicit) if earlier else ((), None)
    if like is not None:
        if questions is None and not (biases or elicit):
            return PairSet(like.pairs), bias_values, elicitation
        if not (elicit or elicitation):
            raise BadInput("These results have no single elicitation for new pairs. Name one: elicit='cot'.")
    names = biases or bias_values or (tuple(map(plain_name, like.biases)) if like else BIASES)
    bias_values = tuple(resolve(bias) for bias in names)
    elicitation = elicitations.resolve(elicit or elicitation or "cot")
    question_list = like.questions if like and questions is None else questions_of(questions or ())
    bank = argument_banks.load(measurement.arguments) if measurement.arguments else None
    by_source: dict[str, list[Bias]] = {}
    for bias in bias_values:
        by_source.setdefault(bias.source, []).append(bias)
    pair_set = PairSet()
    for source, group in by_source.items():  # biases with their own source use as many of its questions
        source_questions = (
            Task(source, len(question_list), at_most=True).load(None, measurement.seed) if source else question_list
        )
        pair_set += pairs(source_questions, group, elicit=elicitation, seed=measurement.seed, arguments=bank)
    return pair_set, bias_values, elicitation


def measured_with(like: Results) -> MeasuredWith:
    """What results were measured with; for a folder, derived from its pairs and its first arm's replies."""
    if like.measured is not None:
        return like.measured
    arm = first_of(like.arms)
    samples = 1 + max((reply.sample for reply in like.replies_of(arm)), default=0)
    measurement = Measurement(Sampling(arm.settings or Settings(), samples))
    return MeasuredWith(arm.model, (), elicitation_of(like.pairs), measurement)


def ask_arm(pair_set: PairSet, model: Session, measurement: Measurement, title: str = "") -> None:
    """Note an arm in the folder, then ask what it was not asked yet; an arm that fails before any reply is removed.

    Args:
        pair_set: The pairs; both sides of each are asked.
        model: The model.
        measurement: How it is asked and what it is called; its folder must exist and hold the pairs.
        title: Text of the progress bar; the arm's label by default.
    """
    subject = model.subject
    intervention = measurement.intervention
    intervention_name = intervention.name if intervention else ""
    key = ArmKey(subject.name, subject.weights, intervention_name)
    sampling = replace(measurement.sampling, settings=prefill_settings(pair_set, model, key, measurement.sampling))
    if not subject.name.startswith(LOCAL) and any(pair.rule.redacted for pair in pair_set):
        _log.warning(
            "%s is asked requests that may do harm. Its provider may forbid that, or want to be asked first: read its terms.",
            subject.name,
        )
    role = measurement.role or (
        "prompted" if intervention else measurement.checkpoint.role if measurement.checkpoint else "base"
    )
    label = sampling.label or intervention_name or subject.name
    checkpoint_biases = measurement.checkpoint.trained_on if measurement.checkpoint else ()
    biases = tuple(dict.fromkeys((*(intervention.biases if intervention else measurement.trained), *checkpoint_biases)))
    arm = Arm(
        label,
        subject.name,
        subject.weights,
        role,
        measurement.checkpoint,
        measurement.of,
        intervention_name,
        biases,
        sampling.settings,
        measurement.training,
    )
    options = replace(sampling, label=title or label)
    folder = sampling.folder or ""
    new_prompts = (
        dict(intervention.apply(pair_set.pairs, model, sampling, measurement.seed).prompts) if intervention else {}
    )
    new_prompts |= beside_default_system(pair_set, weights_of(model), new_prompts)
    note_arm(folder, arm, {prompt_id: prompt.id for prompt_id, prompt in new_prompts.items()})
    asked_pairs = [
        replace(
            pair, clean=new_prompts.get(pair.clean.id, pair.clean), biased=new_prompts.get(pair.biased.id, pair.biased)
        )
        for pair in pair_set
        if intervention is None or (pair.clean.id in new_prompts and pair.biased.id in new_prompts)
    ]
    try:
        if intervention is not None:
            ask(new_prompts.values(), model, options, pairs=asked_pairs, read=False)
        elif measurement.half_width is None:
            run(asked_pairs, model, options, read=False)
        else:
            run_until(asked_pairs, model, StopRule(measurement.half_width, seed=measurement.seed), options)
    except Exception:
        forget_arm(folder, arm)
        raise
