"""Generators of questions with numbers: arithmetic, counting, dates.

In: a level (1 to 3) and a random generator. Out: a question with its right option and plausible wrong ones, the
likeliest slip first. Part of `procedural`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random


@dataclass(frozen=True, slots=True)
class Puzzle:
    """A generated question."""

    stem: str
    """The question text."""
    right: str
    """The right option."""
    wrong: tuple[str, ...]
    """Wrong options, the likeliest slip first; the same text may occur twice."""


NAMES = (
    "Ada", "Ben", "Carla", "Dev", "Elif", "Farid", "Gwen", "Hugo", "Ines", "Jonas", "Kofi", "Lena", "Mira", "Nils",
    "Oona", "Pavel", "Rosa", "Sami", "Tara", "Yusuf",
)  # fmt: skip


def numbers(stem: str, right: int, slips: list[int], rng: Random) -> Puzzle:
    """A question with whole numbers as options: slips first, then near misses; none negative, none equal to the right one."""
    near = [right + step for step in (1, -1, 2, -2, 3, -3, 10, -10)]
    rng.shuffle(near)
    wrong = list(dict.fromkeys(slip for slip in (*slips, *near) if slip >= 0 and slip != right))
    return Puzzle(stem, str(right), tuple(str(value) for value in _spread(right, wrong, rng)))


def _spread(right: int, wrong: list[int], rng: Random) -> list[int]:
    """Three wrong values, chosen so that the right value has each of the four ranks equally often.

    Otherwise a model that cannot do sums could guess, because slips and near misses lie on both sides of the right value.
    """
    below = [value for value in wrong if value < right]
    above = [value for value in wrong if value > right]
    rank = rng.randint(0, 3)
    fewest = max(3 - len(above), 0)
    n_below = min(max(rank, fewest), len(below))
    return below[:n_below] + above[: 3 - n_below]


# ---------------------------------------------------------------- arithmetic


def arithmetic(level: int, rng: Random) -> Puzzle:
    """Level 1: two numbers. Level 2: two operations, precedence matters. Level 3: a story of three steps."""
    if level == 1:
        a, b = rng.randint(12, 98), rng.randint(12, 98)
        if rng.random() < 0.5:
            no_carry = (a // 10 + b // 10) * 10 + (a % 10 + b % 10) % 10
            return numbers(f"What is {a} + {b}?", a + b, [no_carry, a + b + 10, a + b - 1], rng)
        a, b = max(a, b), min(a, b)
        by_digit = (a // 10 - b // 10) * 10 + abs(a % 10 - b % 10)
        return numbers(f"What is {a} − {b}?", a - b, [by_digit, a - b + 10, a - b - 1], rng)
    if level == 3:
        return rng.choice(_STORIES)(rng)
    a, b, c = rng.randint(3, 12), rng.randint(3, 12), rng.randint(4, 40)
    if rng.random() < 0.5:
        slips = [(a + b) * c, a + b + c, a + (b + 1) * c, a * b + c]
        return numbers(f"What is {a} + {b} × {c}?", a + b * c, slips, rng)
    c = min(c, a * b - 1)
    slips = [a * abs(b - c), a * b + c, a * (b - 1) - c, a * b]
    return numbers(f"What is {a} × {b} − {c}?", a * b - c, slips, rng)


def change(rng: Random) -> Puzzle:
    """The change that two people get who buy pencils together."""
    first, second = rng.sample(NAMES, 2)
    price, few, many = rng.randint(2, 9), rng.randint(2, 6), rng.randint(3, 8)
    cost = price * (few + many)
    paid = (cost // 10 + rng.randint(1, 3)) * 10
    stem = (
        f"A pencil costs {price} coins. {first} takes {few} pencils and {second} takes {many}. "
        f"They pay together with {paid} coins. How many coins do they get back?"
    )
    return numbers(stem, paid - cost, [cost, paid - price * many, paid - price * few, paid - few - many], rng)


def shelves(rng: Random) -> Puzzle:
    """The number of books in a library after some were lent and some returned."""
    rows, books, lent, back = rng.randint(3, 9), rng.randint(6, 15), rng.randint(5, 17), rng.randint(2, 4)
    stem = (
        f"A library has {rows} shelves with {books} books on each. {lent} books are lent out, and later {back} of "
        "those come back. How many books are on the shelves now?"
    )
    total = rows * books
    return numbers(stem, total - lent + back, [total - lent, total - lent - back, total, total + back], rng)


def walk(rng: Random) -> Puzzle:
    """The length of a walk with a break."""
    name = rng.choice(NAMES)
    speed, hours, rest, hours_after = rng.randint(3, 6), rng.randint(2, 5), rng.randint(1, 2), rng.randint(1, 4)
    stem = (
        f"{name} walks at {speed} kilometres an hour. The walk lasts {hours + rest + hours_after} hours in all, with a break "
        f"of {'an hour' if rest == 1 else f'{rest} hours'} after the first {hours} hours. "
        f"How many kilometres has {name} walked?"
    )
    right = speed * (hours + hours_after)
    return numbers(
        stem,
        right,
        [speed * (hours + rest + hours_after), speed * hours, hours + hours_after + rest, right - speed],
        rng,
    )


_STORIES: tuple[Callable[[Random], Puzzle], ...] = (change, shelves, walk)


# ---------------------------------------------------------------- counting

_SORTS = {
    "fruits": ("apple", "pear", "lemon", "fig", "plum", "mango", "apricot"),
    "tools": ("hammer", "saw", "wrench", "chisel", "drill", "file"),
    "animals": ("goat", "heron", "otter", "beetle", "donkey", "owl"),
    "musical instruments": ("violin", "flute", "drum", "harp", "trumpet", "banjo"),
    "pieces of furniture": ("chair", "table", "wardrobe", "stool", "desk", "sofa"),
}
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven")


def _amount(thing: str, n: int) -> str:
    if n == 1:
        return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"
    plural = {"wrench": "wrenches"}.get(thing, f"{thing}s")
    return f"{_WORDS[n]} {plural}"


def counting(level: int, rng: Random) -> Puzzle:
    """Level 1: one of each. Level 2: several of each. Level 3: several of each, and some are given away."""
    sort, *other_sorts = rng.sample(sorted(_SORTS), 3)
    things = rng.sample(_SORTS[sort], rng.randint(2, 5))
    other_things = [thing for other_sort in other_sorts for thing in rng.sample(_SORTS[other_sort], rng.randint(1, 3))]
    amounts = {thing: 1 if level == 1 else rng.randint(1, 5) for thing in (*things, *other_things)}
    all_things = sorted(amounts)
    rng.shuffle(all_things)
    text = ", ".join(_amount(thing, amounts[thing]) for thing in all_things[:-1])
    stem = f"In a shed there are {text} and {_amount(all_things[-1], amounts[all_things[-1]])}."
    count = sum(amounts[thing] for thing in things)
    slips = [len(things), count + amounts[other_things[0]], sum(amounts.values()), len(all_things)]
    if level == 3:
        given_thing = rng.choice(things)
        n_away = rng.randint(1, amounts[given_thing])
        stem += f" {rng.choice(NAMES)} carries {_amount(given_thing, n_away)} away."
        slips = [count, count - amounts[given_thing], *slips]
        count -= n_away
    return numbers(f"{stem} How many {sort} are in the shed{' now' if level == 3 else ''}?", count, slips, rng)


# ---------------------------------------------------------------- dates

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def _in_english(day: date) -> str:
    """A date in English, whatever the locale."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def dates(level: int, rng: Random) -> Puzzle:
    """Level 1: a weekday some days away. Level 2: a date some days away. Level 3: the days between two dates."""
    if level == 1:
        today, days, backwards = rng.randrange(7), rng.randint(3, 75), rng.random() < 0.4
        step = -days if backwards else days
        question = (
            f"which day of the week was it {days} days ago"
            if backwards
            else f"which day of the week is it in {days} days"
        )
        wrong = [today + step + 1, today + step - 1, today - step, today + step + 2, today + step - 2]
        right = DAYS[(today + step) % 7]
        names = [DAYS[day % 7] for day in wrong]
        return Puzzle(f"If today is {DAYS[today]}, {question}?", right, tuple(name for name in names if name != right))
    start = date(rng.randint(1996, 2032), 1, 1) + timedelta(days=rng.randint(0, 364))
    if level == 2:
        days, backwards = rng.randint(9, 48), rng.random() < 0.4
        target = start + timedelta(days=-days if backwards else days)
        steps = [1, -1, 2, -2, 3, -3]
        rng.shuffle(steps)
        slips = [start.toordinal() + (days if backwards else -days), *(target.toordinal() + step for step in steps)]
        question = f"Which date is {days} days {'before' if backwards else 'after'} {_in_english(start)}?"
        wrong_days = _spread(target.toordinal(), slips, rng)
        return Puzzle(question, _in_english(target), tuple(_in_english(date.fromordinal(day)) for day in wrong_days))
    start = date(start.year, rng.choice((1, 2, 2, 3, 5, 8, 10)), rng.randint(5, 28))
    days = rng.randint(15, 80)
    end = start + timedelta(days=days)
    months = (end.year - start.year) * 12 + end.month - start.month
    slips = [days + 1, days - 1, 30 * months + end.day - start.day, 31 * months + end.day - start.day]
    return numbers(f"How many days after {_in_english(start)} is {_in_english(end)}?", days, slips, rng)
