"""Side effects of training, one per file: each is a question with prompts, scores and margins.

In: questions and how they are put. Out: `EffectItem`s, which hold the prompts to ask, and a score for each reply. A side
effect is a paired change between arms on fixed prompts; its margin is fixed before anything is asked. `unsway.stats.margins`
gives the verdict: kept, a little worse, lost, or cannot tell.

    effect = effects.get("clean_accuracy")
    items = effect.build(EffectInputs(load("arc_easy", 300), "cot"))
    effect.measures[0].score(items[0], [[reply]])           # 1.0, 0.0, or None if the answer is missing

To add one, declare it in a module here, or in your own package through the entry-point group `unsway.plugins`:

    @side_effect("polite", version=1, question="Is it still polite?", measures=(EffectMeasure(…, margin=0.05),))
    def build(inputs):
        return tuple(EffectItem(q.id, (render(q, inputs.elicit),), q) for q in inputs.taken())
"""

from unsway.effects.definition import (
    EffectInputs,
    EffectItem,
    EffectMeasure,
    OwnError,
    SideEffect,
    choice,
    effects,
    get,
    names,
    right,
    side_effect,
)

__all__ = [
    "EffectInputs",
    "EffectItem",
    "EffectMeasure",
    "OwnError",
    "SideEffect",
    "choice",
    "effects",
    "get",
    "names",
    "right",
    "side_effect",
]
