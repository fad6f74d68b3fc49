"""Have the model rewrite the question, then answer only the rewritten question.

In: pairs. The model is asked to repeat each prompt's text without irrelevant parts. Out: pairs whose prompts hold only that
text; when the model answers, it does not see the original cue.
Source: System 2 Attention (arXiv 2311.11829), zero-shot; the wordings are our own (banks/rewrite_requests.txt).

Everything is rewritten except the instruction, which says how to reply and is put unchanged below the rewritten text (and
the worked example of `brief`, which is put above it). Several turns become one. A prompt with a model turn in the middle
(are-you-sure) is left out, because its text is incomplete before it is asked. So is a prompt whose rewriting was truncated,
is empty, or lacks an option. Each is missing with its reason.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from unsway.banks import bank
from unsway.biases.insert import fill
from unsway.errors import BadInput, UnknownName
from unsway.interventions.base import (
    Changed,
    InterventionKind,
    by_prompt,
    kinds,
    open_session,
    record_path,
    without_example,
    worked_example,
)
from unsway.prompts.render import letter
from unsway.readers.channels import split
from unsway.sampling import Sampling, ask
from unsway.sampling.context import check_fit
from unsway.sources.checks import visible
from unsway.store import write_jsonl
from unsway.types import Pair, Part, Prompt, Reply, Turn

if TYPE_CHECKING:
    from unsway.models.session import ModelLike

VERSION = 2
BANK = "rewrite_requests"
SPEAKS = "the model speaks on the way, so that there is nothing to rewrite before it did"
CUT, EMPTY, LOST = "its rewriting was cut", "its rewriting is empty", "its rewriting lost an option"
_log = logging.getLogger(__name__)
_TAG = re.compile(r"<question>(.*?)(?:</question>|\Z)", re.S)
_END = r"(?![.,:/-]?\w|\s?%)"
"""Matches the end of an option: not inside a word or a number."""
_SPEAKERS = {"system": "System", "user": "User", "assistant": "Assistant"}


@cache
def wordings() -> Mapping[str, str]:
    """Text of every request, by name. Raises `BadInput` if an entry has no slot for the conversation."""
    texts = {name: text for name, _, text in (entry.partition("\n") for entry in bank(BANK).entries)}
    invalid = [name for name, text in texts.items() if "{conversation}" not in text]
    if invalid:
        raise BadInput(f"Bank {BANK!r} has entries without {{conversation}}: {', '.join(invalid)}.")
    return texts


class NotAsked(NamedTuple):
    """A prompt that is not asked under an intervention."""

    prompt_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The model rewrites every prompt, on both sides, and answers its own rewriting."""

    wording: str = "extract"
    """Name of the request."""

    def __post_init__(self) -> None:
        if self.wording not in wordings():
            raise UnknownName("request to rewrite", self.wording, wordings())

    @property
    def name(self) -> str:
        """`rewrite`, or `rewrite:WORDING` if it is not the default wording."""
        return "rewrite" if self.wording == "extract" else f"rewrite:{self.wording}"

    @property
    def versioned(self) -> str:
        """The name, the version of this module and that of the bank."""
        return f"{self.name}@{VERSION}.{bank(BANK).version}"

    @property
    def biases(self) -> tuple[str, ...]:
        """None: nothing is shown."""
        return ()

    def apply(
        self,
        pairs: Sequence[Pair],
        model: ModelLike,
        sampling: Sampling = Sampling(),  # noqa: B008  # frozen
        seed: int = 0,
    ) -> Changed:
        """The pairs with rewritten prompts, and those that could not be rewritten; see `Intervention`.

        Each prompt is rewritten once, greedily, for all samples of its answer.
        """
        originals = by_prompt(pairs)
        unasked = {key: SPEAKS for key, (prompt, _) in originals.items() if prompt.n_model_turns}
        requests = {key: self.request(prompt) for key, (prompt, _) in originals.items() if key not in unasked}
        settings = replace(sampling.settings, temperature=0.0)
        advice = "Take shorter questions, or allow shorter replies."
        with open_session(model) as session:
            check_fit(requests.values(), session, settings, advice=advice)
            replies = ask(requests.values(), session, sampling, settings=settings, samples=1, label=f"{self.name} 1")
        by_request = {reply.prompt_id: reply for reply in replies}
        results: dict[str, Prompt | str] = {}
        for key, request in requests.items():
            prompt, pair = originals[key]
            order = range(len(pair.order)) if key == pair.clean.id else pair.order
            results[key] = rewritten(prompt, [pair.question.options[i] for i in order], by_request[request.id])
        failures = {key: result for key, result in results.items() if isinstance(result, str)}
        changed = Changed.of(
            pairs, {key: result for key, result in results.items() if isinstance(result, Prompt)}, unasked | failures
        )
        check_fit(changed.prompts.values(), session, sampling.settings, advice=advice)
        if changed.missing:
            reasons = "; ".join(f"{count}: {reason}" for reason, count in changed.reasons().items())
            _log.warning(
                "%s: %d of %d prompts are not asked (%s).", self.name, len(changed.missing), len(originals), reasons
            )
        if changed.missing and sampling.folder is not None:
            path = record_path(sampling.folder, session.subject.name, f"{self.name}-missing")
            rows = [NotAsked(*item) for item in changed.missing.items()]
            write_jsonl(path, rows, intervention=self.versioned, reasons=changed.reasons())
        return changed

    def request(self, prompt: Prompt) -> Prompt:
        """The first request: rewrite the prompt's text, without its instruction, with each turn's speaker named."""
        speeches = []
        for turn in without_example(prompt.turns):
            text = "".join(part.text for part in turn.parts or () if part.kind != "instruction").strip()
            if text:
                speeches.append((turn.role, text))
        conversation = "\n\n".join(f"{_SPEAKERS[role]}: {text}" for role, text in speeches)
        if len(speeches) == 1:
            conversation = speeches[0][1]
        return Prompt((Turn("user", (Part("stem", fill(wordings()[self.wording], conversation=conversation)),)),))


def rewritten(prompt: Prompt, shown: Sequence[str], reply: Reply) -> Prompt | str:
    """The rewritten prompt, whose original shows these options; or the reason why there is none."""
    answer = split(reply.text).said
    match = _TAG.search(answer)
    text = (match[1] if match else answer).strip()
    if reply.stop != "end":
        return CUT
    if not text:
        return EMPTY
    if not has_options(text, shown):
        return LOST
    instruction = tuple(p for p in prompt.turns[-1].parts or () if p.kind == "instruction")
    return Prompt((*worked_example(prompt.turns), Turn("user", (Part("stem", text), *instruction))))


def has_options(text: str, options: Sequence[str]) -> bool:
    """Whether every option follows its letter, ignoring white space, case and emphasis; 4 does not match 42, 4.5 or 4%."""
    visible_text = visible(text.replace("*", "")).casefold()
    visible_options = [visible(option.replace("*", "")).casefold() for option in options]
    patterns = (
        rf"(?<!\w)\(?{letter(i).lower()}[).:]\s*{re.escape(text)}{_END}" for i, text in enumerate(visible_options)
    )
    return all(re.search(pattern, visible_text) for pattern in patterns)


def parse(name: str) -> Rewrite | None:
    """The rewriting with a name, `rewrite` or `rewrite:WORDING`; None if the name has another form."""
    kind, _, wording = name.partition(":")
    return Rewrite(wording or "extract") if kind == "rewrite" and (wording or "extract") in wordings() else None


kinds.add(
    "rewrite",
    InterventionKind(
        Rewrite,
        parse,
        lambda: (Rewrite(wording).name for wording in wordings()),
        "The model rewrites the question first",
    ),
)
