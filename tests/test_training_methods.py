"""What holds for every method and every back-end that is declared, those that one adds included."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import example, loads_torch, losses, real
from unsway.backends import backend, backends
from unsway.backends.local import Local
from unsway.errors import BadInput
from unsway.store import dumps, loads
from unsway.training import Bct, Policy, Tuner, WhiteBox, check, fit, method, methods
from unsway.types import Example

ROWS = tuple(example(i, rejected="(D)") for i in range(8))


@pytest.mark.parametrize("name", methods.names())
def test_a_method_is_a_frozen_value_that_says_what_it_is(name: str) -> None:
    kind, how = methods.get(name), method(name)
    assert kind.name == name and kind.summary and (kind.__doc__ or "").strip()
    assert kind.needs and kind.needs <= {Tuner, Policy, WhiteBox}
    known = {field.name for field in fields(Example)}
    assert kind.reads <= known, f"reads {sorted(kind.reads - known)}; a row has {sorted(known)}"
    assert loads(kind, dumps(how)) == how and hash(how) == hash(replace(how))
    with pytest.raises(FrozenInstanceError):
        how.seed = 1  # type: ignore[misc]
    with pytest.raises(BadInput, match="epochs is 0"):
        replace(how, epochs=0)
    for field, wrong in (("learning_rate", float("inf")), ("warmup", -1), ("weight_decay", -0.1)):
        with pytest.raises(BadInput, match=f"{field} is {wrong}"):
            replace(how, **{field: wrong})
    for field in fields(kind):
        wrong = {"int": 2.5, "float": float("nan"), "bool": 1}.get(str(field.type), "odd")
        with pytest.raises(BadInput, match=f"{field.name} is {wrong!r}; it is "):
            replace(how, **{field.name: wrong})
    with pytest.raises(BadInput, match=r"0\.01 epochs over 8 rows are less than half a row"):
        fit(ROWS, replace(how, epochs=0.01), "any", Local(), "nowhere")


@pytest.mark.parametrize(
    ("name", "field"), [("act", "window"), ("attct", "keys"), ("rmct", "baseline"), ("opct", "form")]
)
def test_a_mistyped_choice_is_refused_and_not_taken_for_another(name: str, field: str) -> None:
    with pytest.raises(BadInput, match=f"{field} is 'sufix'; it is one of '"):
        method(name, **{field: "sufix"})


@pytest.mark.parametrize("name", methods.names())
def test_a_method_says_what_a_row_lacks(name: str) -> None:
    how = method(name)
    assert how.refuses(ROWS[0]) is None
    for field in how.reads:
        assert (how.refuses(replace(ROWS[0], **{field: None})) or "").startswith("has no ")
    for field in how.reads & {"completion", "rejected"}:
        assert (how.refuses(replace(ROWS[0], **{field: " \n"})) or "").startswith("has no "), (
            "it would learn to say nothing"
        )


@real
@loads_torch
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", methods.names())
def test_a_method_trains_the_tiny_model(name: str, base: Path, tmp_path: Path) -> None:
    short = {"max_tokens": 4} if hasattr(method(name), "max_tokens") else {}
    how = replace(method(name), batch_size=4, learning_rate=1e-3, **short)
    made = fit(ROWS, how, str(base), Local(), tmp_path)
    assert made.steps == 2 and made.tokens > 0 and made.method == repr(how)
    assert set(losses(tmp_path)) == {1, 2}


@pytest.mark.parametrize("name", backends.names())
def test_a_back_end_is_a_frozen_value_that_says_what_it_offers(name: str) -> None:
    kind, where = backends.get(name), backend(name)
    assert kind.name == name and kind.summary and (kind.__doc__ or "").strip()
    assert kind.offers and kind.offers <= {Tuner, Policy, WhiteBox}
    assert bool(kind.objectives) == (Tuner in kind.offers)
    assert loads(kind, dumps(where)) == where == where.limited(1e9).limited(1e9) or where.limited(1.0) != where
    with pytest.raises(BadInput, match="has no option 'colour'"):
        backend(name, colour="red")


@pytest.mark.parametrize(
    ("name", "option", "wrong", "rule"),
    [
        ("local", "packing", "no", "True or False"),
        ("local", "save_every", 2.5, "a whole number"),
        ("local", "rows_at_once", "4", "a whole number or None"),
        ("local", "report_to", "wandb", "a tuple, each entry text"),
        ("openai", "max_cost", "five", "a finite number or None"),
        ("openai", "max_cost", -1, "US dollars, 0 or more, or None"),
        ("openai", "waits", (1,), "a tuple of a finite number, a finite number"),
        ("openai", "waits", (9, 2), "seconds, 0 or more: the first wait and the longest"),
        ("tinker", "max_cost", float("nan"), "a finite number or None"),
        ("tinker", "max_cost", 10**400, "a finite number or None"),
        ("tinker", "price", ("1", "2", "3"), "a tuple, each entry a finite number"),
        ("tinker", "tokenizer", 5, "text or None"),
    ],
)
def test_an_option_of_another_kind_is_refused(name: str, option: str, wrong: Any, rule: str) -> None:
    with pytest.raises(BadInput, match=re.escape(f".{option} is {wrong!r}; it is {rule}.")):
        backend(name, **{option: wrong})


def test_a_class_whose_module_is_not_here_is_checked_like_any_other() -> None:
    body = {"__module__": "sent_by_value", "__annotations__": {"extra": int}, "extra": 3}
    mine: Any = dataclass(frozen=True)(type("Mine", (Bct,), body))
    assert mine().extra == 3
    with pytest.raises(BadInput, match=r"Mine\.extra is 'x'"):
        mine(extra="x")


@pytest.mark.parametrize("where", backends.names())
@pytest.mark.parametrize("name", methods.names())
def test_what_a_back_end_cannot_do_is_refused_and_the_rest_is_taken(name: str, where: str) -> None:
    how: Any = method(name)
    kind, base = (
        backends.get(where),
        {"openai": "openai/gpt-4o-mini", "tinker": "Qwen/Qwen3-8B"}.get(where, "smollm2-135m"),
    )
    can = how.needs <= kind.offers and (Tuner not in how.needs or type(how.objective) in kind.objectives)
    if can:
        check(how, backend(where), base)
    else:
        with pytest.raises(BadInput, match=f"'{name}' needs a back-end that can .*; '{where}' can only"):
            check(how, backend(where), base)
