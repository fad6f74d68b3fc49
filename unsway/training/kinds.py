"""Which kind of value each hyper-parameter takes, checked from its annotation where a method is made.

In: a frozen value. Out: nothing, or an error that names the field. From the command line a value has its kind; in Python any
could be given, and a batch size of 2.5 would fail hours later or train something else.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Literal, get_args, get_origin, get_type_hints

from unsway.errors import BadInput


def check_kinds(value: object) -> None:
    """Refuse a field that is not of the kind which its annotation names.

    Args:
        value: A dataclass whose annotated fields are numbers, truth values, or one of several words; others may be anything.

    Raises:
        BadInput: A field is of another kind, or a number that is infinite or none.
    """
    for name, hint in get_type_hints(type(value)).items():
        given = getattr(value, name)
        is_bool, is_right, rule = isinstance(given, bool), True, ""
        if get_origin(hint) is Literal:
            is_right, rule = given in get_args(hint), f"one of {', '.join(map(repr, get_args(hint)))}"
        elif hint is bool:
            is_right, rule = is_bool, "True or False"
        elif hint is int:
            is_right, rule = isinstance(given, Integral) and not is_bool, "a whole number"
        elif hint is float:
            is_right, rule = isinstance(given, Real) and not is_bool and math.isfinite(given), "a finite number"
        if not is_right:
            raise BadInput(f"{type(value).__name__}.{name} is {given!r}; it is {rule}.")
