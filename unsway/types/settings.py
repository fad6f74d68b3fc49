"""The settings by which replies are decoded."""

from __future__ import annotations

from dataclasses import dataclass, fields
from sys import float_info
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from unsway.errors import BadInput

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

LARGEST = float_info.max
"""The largest float; a whole number above it cannot be converted to one."""
Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""How much a reasoning model thinks, in Inspect's terms; the values a provider accepts depend on the model."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How replies are decoded. A prompt with equal settings counts as the same request."""

    temperature: float = 0.0
    """0 is greedy, as in the paper's measurements (arXiv 2403.05518, §3; its training targets are sampled at 1.0)."""
    max_tokens: int = 1000
    """Longest reply, in tokens; 1,000 as in the paper's evaluation code."""
    top_p: float = 1.0
    """Nucleus probability mass; 1 keeps everything."""
    seed: int = 0
    """Seed of sampling; ignored at temperature 0 and by providers that accept none."""
    effort: Effort | None = None
    """How much a reasoning model thinks; None leaves it to the provider."""
    thinking_budget: int | None = None
    """Most tokens of thinking, included in `max_tokens`, for models with such a limit; None leaves it to the provider."""
    options_after: str | None = None
    """Words in a reply after which only an option may follow and the reply ends, such as "best answer is". For models whose
    replies often end without an option (guided decoding, arXiv 2307.09702, §3). Only for local models."""
    force_answer: str | None = None
    """Words appended to a reply without a readable answer, such as "So the best answer is"; an option then follows them
    (budget forcing, arXiv 2501.19393, §3.1). Requires `options_after`."""
    letter_begins: str | None = None
    """Text that begins a hosted model's answer to an answer turn, such as "("; None lets the model begin."""

    def __post_init__(self) -> None:
        temperature: object = self.temperature
        top_p: object = self.top_p
        if isinstance(temperature, bool) or not isinstance(temperature, int | float) or not 0 <= temperature <= LARGEST:
            raise BadInput(f"temperature is {temperature!r}; it is a number, 0 (greedy) or more.")
        if isinstance(top_p, bool) or not isinstance(top_p, int | float) or not 0 < top_p <= 1:
            raise BadInput(f"top_p is {top_p!r}; it is a fraction above 0, and at most 1, which keeps everything.")
        # 1 and 1.0 are the same setting, and addresses depend on how a number is written
        object.__setattr__(self, "temperature", float(temperature))
        object.__setattr__(self, "top_p", float(top_p))
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise BadInput(f"seed is {self.seed!r}; it is a whole number.")
        if self.effort is not None and self.effort not in get_args(Effort):
            raise BadInput(f"effort is {self.effort!r}; it is one of {', '.join(get_args(Effort))}, or left out.")
        # called for every row of replies, so it avoids look-ups, and unset fields cost almost nothing
        max_tokens: object = self.max_tokens
        if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 1:
            raise BadInput(f"max_tokens is {max_tokens!r}; it is a whole number of tokens, 1 or more.")
        budget: object = self.thinking_budget
        if budget is not None and (isinstance(budget, bool) or not isinstance(budget, int) or budget < 1):
            raise BadInput(f"thinking_budget is {budget!r}; it is a whole number of tokens, 1 or more.")
        if self.options_after is not None or self.force_answer is not None or self.letter_begins is not None:
            for name in ("options_after", "force_answer", "letter_begins"):
                words = getattr(self, name)
                if words is not None and not isinstance(words, str):
                    raise BadInput(f"{name} is {words!r}; it is words of a reply, or left out.")

    def __repr__(self) -> str:
        """The fields; newer ones only if set, because addresses are made from this text."""
        values = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in values if value is not None)})"

    def apart(self, other: Settings) -> str:
        """The settings that differ from others, with their values here: `temperature 0.0, top_p 0.9`."""
        names = [field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name)]
        return ", ".join(f"{name} {getattr(self, name)}" for name in names)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Leave out fields that are None, so rows and studies look as they did before those fields existed."""
        from pydantic_core import core_schema

        schema = handler(source)
        schema["serialization"] = core_schema.wrap_serializer_function_ser_schema(  # type: ignore[index]
            lambda value, inner: {name: setting for name, setting in inner(value).items() if setting is not None}
        )
        return schema
