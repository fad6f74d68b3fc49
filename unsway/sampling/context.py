"""Checks whether prompts fit a model's context, before any is asked.

In: prompts, a session, settings. Out: nothing, or `BadInput` with the number that do not fit. For a local model, tokens are
counted with its own tokenizer and template. For a hosted model, they are estimated from characters and compared with
the context length that Inspect AI knows; this only gives a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from unsway.errors import BadInput, number_of
from unsway.models.session import LOCAL, Session
from unsway.models.weights import Weights, locate
from unsway.types import Pair, Part, PartKind, Prompt, Settings, Turn

CHARACTERS_A_TOKEN = 4
"""Characters per token of English text in common tokenizers (OpenAI's rule of thumb)."""
TEMPLATE_TOKENS = 32
"""Tokens that a chat template may add around each turn, and once at the start: far more than common templates add."""

_log = logging.getLogger(__name__)


def check_fit(prompts: Iterable[Prompt], model: Session, settings: Settings, *, advice: str) -> None:
    """Raise `BadInput` if prompts leave no space for the longest reply.

    Args:
        prompts: The prompts to ask.
        model: The model that will be asked.
        settings: How long a reply may be; a prompt with several model turns needs space for each.
        advice: What to do about it, for the error message.

    Raises:
        BadInput: Some prompts do not fit a local model, or its chat template rejects their turns.
    """
    pending = tuple(prompts)
    name = model.subject.model if isinstance(model.subject.model, str) else model.subject.name
    weights = local_weights(name.removeprefix(LOCAL)) if name.startswith(LOCAL) else None
    if weights and pending:  # Gemma's template takes no system turn, others require another order
        from jinja2 import TemplateError

        try:
            weights.encode(pending[0].messages(("",) * pending[0].n_model_turns))
        except TemplateError as error:
            roles = ", ".join(turn.role for turn in pending[0].turns[:4])
            hint = "Put the text into the user's turn (prompted:WORDING-user)." if "system" in roles else ""
            raise BadInput(
                f"The chat template of {model.subject.name} does not take the turns {roles} …: {error}. "
                f"{hint or 'Take another model.'}"
            ) from error
    if weights:
        context: int | None = weights.context
    else:
        from inspect_ai.model import get_model_info

        info = get_model_info(model.subject.name)
        context = info.context_length if info else None  # Inspect's value for a hosted model
    if context is None:
        return
    n_tokens = [_tokens(prompt, weights, settings, context) for prompt in pending]
    too_long = [n for n in n_tokens if n > context]
    if not too_long:
        return
    message = (
        f"{len(too_long)} of {number_of(len(n_tokens), 'prompt')} do not fit {model.subject.name}: with a reply of up to "
        f"{settings.max_tokens} tokens the longest takes {max(too_long)}, and its context is {context} tokens. {advice}"
    )
    if weights:
        raise BadInput(message)
    _log.warning("By an estimate from their characters, %s", message)


@cache
def local_weights(name: str) -> Weights:
    """The weights of a local model, located once per process."""
    return locate(name)


def weights_of(model: Session) -> Weights | None:
    """The weights of a session's local model; None for a hosted model or an Inspect `Model`."""
    name = model.subject.model
    return local_weights(name.removeprefix(LOCAL)) if isinstance(name, str) and name.startswith(LOCAL) else None


def beside_default_system(
    pairs: Iterable[Pair],
    weights: Weights | None,
    changed: Mapping[str, Prompt] = MappingProxyType({}),
    *,
    kind: PartKind = "instruction",
) -> dict[str, Prompt]:
    """Biased prompts whose cue is a system turn, put after the default system prompt of a local model's template.

    Templates such as Qwen2.5's add their own system prompt only to a conversation without one. The cue would replace it, and
    the sides would differ by more than the cue.

    Args:
        pairs: The pairs to be asked.
        weights: The local model to be asked (`weights_of`); a hosted model's template is unknown.
        changed: An intervention's replacements of prompts, by prompt id.
        kind: The kind of part for the system prompt. In training rows it is `cue`, because their prompts differ only by
            cues, and the template adds it to the clean one.

    Returns:
        The prompts to ask instead, by the id of a pair's biased prompt.

    Raises:
        BadInput: As written by the template, the sides still differ by more than one passage around the cue.
    """
    prompts: dict[str, Prompt] = {}
    checked_biases = set()
    for pair in pairs if weights else ():
        clean, biased = (changed.get(prompt.id, prompt) for prompt in (pair.clean, pair.biased))
        first = biased.turns[0]
        if weights is None or first.role != "system" or clean.turns[0].role == "system":
            continue
        if weights.default_system:
            default = Part(kind, weights.default_system + "\n\n")
            biased = Prompt((Turn("system", (default, *(first.parts or ()))), *biased.turns[1:]))
            prompts[pair.biased.id] = biased
        if pair.bias not in checked_biases:
            checked_biases.add(pair.bias)
            with_cue, without_cue = (weights.rendered(prompt.messages()) for prompt in (biased, clean))
            front, _, rest = with_cue.partition(first.text().strip())
            n = next((i for i, (a, b) in enumerate(zip(front, without_cue, strict=False)) if a != b), len(front))
            if not any(rest.endswith(without_cue[i:]) for i in range(n + 1)):  # one inserted passage, with the cue
                raise BadInput(
                    f"The cue of {pair.bias} is a system turn, and with it the chat template of {weights.name} writes "
                    f"{with_cue[:60]!r} where it writes {without_cue[:60]!r} otherwise: both sides would differ by "
                    "more than the cue. Leave the bias out for this model, or take another one."
                )
    return prompts


def _tokens(prompt: Prompt, weights: Weights | None, settings: Settings, context: int) -> int:
    """Tokens of a prompt and all replies to it; only an upper bound if that already fits."""
    replies = (prompt.n_model_turns + 1) * settings.max_tokens
    text = "".join(turn.text() for turn in prompt.turns)
    if weights is None:
        return len(text) // CHARACTERS_A_TOKEN + replies
    upper_bound = len(text.encode("utf-8", "replace")) + TEMPLATE_TOKENS * (len(prompt.turns) + 1) + replies
    if upper_bound <= context:
        return upper_bound
    return len(weights.encode(prompt.messages(("",) * prompt.n_model_turns))) + replies
