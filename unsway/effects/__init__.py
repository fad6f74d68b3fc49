"""What a training cost or broke: side effects, one a file, each a question with prompts, scores and margins.

In: questions and how they are put. Out: `EffectItem`s, which are prompts to ask, and for each reply a score. A side
effect is a paired change on fixed prompts between arms; its margin is fixed before anything is asked, and the verdict is
that of `unsway.stats.margins`: kept, a little worse, lost, or cannot tell.

    effect = effects.get("clean_accuracy")
    items = effect.build(EffectInputs(load("arc_easy", 300), "cot"))
    effect.measures[0].score(items[0], [[reply]])           # 1.0, 0.0, or None where the answer is missing

To add one, declare it in a module here, or in a package of your own through the entry-point group `unsway.plugins`:

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
