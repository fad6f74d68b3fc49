"""Generators of logic questions: ordering, tracking, syllogisms.

In: a level (1 to 3) and a random generator. Out: a question with its right option and plausible wrong ones. Part of
`procedural`. Exactly one option follows; a calculation ensures this, not the wording.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from random import Random
from typing import Literal, TypeAlias

from unsway.sources.procedural_numbers import NAMES, Puzzle

# ---------------------------------------------------------------- ordering

_SCALES = (
    # more, less, the most, the least, the phrase for "nth"
    ("is taller than", "is shorter than", "the tallest", "the shortest", "tallest"),
    ("is older than", "is younger than", "the oldest", "the youngest", "oldest"),
    ("ran faster than", "ran slower than", "the fastest", "the slowest", "fastest"),
    ("earns more than", "earns less than", "the best paid", "the worst paid", "best paid"),
)
_NTH = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh")


def ordering(level: int, rng: Random) -> Puzzle:
    """A person's place among 3, 5 or 7 people, from a shuffled chain of comparisons; above level 1 never at an end."""
    people = rng.sample(NAMES, (3, 5, 7)[level - 1])
    more, less, most, least, nth = rng.choice(_SCALES)
    clues = []
    for high, low in pairwise(people):
        clues.append(f"{high} {more} {low}." if rng.random() < 0.5 else f"{low} {less} {high}.")
    rng.shuffle(clues)
    place = rng.choice((0, len(people) - 1)) if level == 1 else rng.randint(1, len(people) - 2)
    ends = {0: most, len(people) - 1: least}
    description = ends.get(place, f"the {_NTH[place + 1]} {nth}")
    wrong = sorted(
        (person for person in people if person != people[place]), key=lambda person: abs(people.index(person) - place)
    )
    return Puzzle(f"{' '.join(clues)} Who is {description}?", people[place], tuple(wrong))


# ---------------------------------------------------------------- tracking

_THINGS = ("lantern", "kite", "compass", "teapot", "map", "drum", "umbrella", "basket", "rope", "whistle")


def tracking(level: int, rng: Random) -> Puzzle:
    """The thing a person holds after 2, 4 or 7 swaps among 3, 4 or 5 people."""
    people = rng.sample(NAMES, level + 2)
    things = rng.sample(_THINGS, level + 2)
    thing_of = dict(zip(people, things, strict=True))
    text = [", ".join(f"{person} holds the {thing}" for person, thing in thing_of.items()) + "."]
    before = dict(thing_of)
    for number in range((2, 4, 7)[level - 1]):
        first, second = rng.sample(people, 2)
        before = dict(thing_of)
        thing_of[first], thing_of[second] = thing_of[second], thing_of[first]
        text.append(f"{('First', 'Then')[number > 0]} {first} and {second} swap what they hold.")
    holder = rng.choice(people)
    wrong = [before[holder], dict(zip(people, things, strict=True))[holder], *things]
    right = f"the {thing_of[holder]}"
    options = tuple(f"the {thing}" for thing in wrong if f"the {thing}" != right)
    return Puzzle(f"{' '.join(text)} What does {holder} hold at the end?", right, options)


# ---------------------------------------------------------------- syllogisms

Form: TypeAlias = Literal["all", "no", "some", "some not"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement about two terms, each given by its number."""

    form: Form
    """all, no, some, or some not."""
    subject: int
    """Number of the first term."""
    predicate: int
    """Number of the second term."""

    def in_words(self, terms: tuple[str, ...]) -> str:
        """The statement as a sentence."""
        a, b = terms[self.subject], terms[self.predicate]
        if self.form == "some not":
            return f"Some {a} are not {b}."
        return f"{self.form.capitalize()} {a} are {b}."

    @cache  # noqa: B019  (a handful of statements in all)
    def kinds(self, n: int) -> frozenset[tuple[bool, ...]]:
        """The kinds of thing it is about: the kinds it excludes (all, no), or the kinds of which it says one exists (some).

        A kind is a truth value for each of the n terms: whether the thing falls under that term.
        """
        has_predicate = self.form in ("no", "some")
        all_kinds = product((False, True), repeat=n)
        return frozenset(kind for kind in all_kinds if kind[self.subject] and kind[self.predicate] is has_predicate)

    @property
    def universal(self) -> bool:
        """Whether it excludes kinds, instead of saying that something exists."""
        return self.form in ("all", "no")


@cache
def follows(claim: Statement, premises: tuple[Statement, ...], n: int, *, inhabited: bool = False) -> bool:
    """Whether a claim must be true if the premises are true; the premises must not contradict each other.

    A universal claim follows if the universal premises exclude every kind it excludes. An existential claim follows if some
    premise says that something exists, and every kind that this thing may have is one of the claim's kinds. With `inhabited`,
    something falls under every term (the older reading of "all").
    """
    excluded_kinds: frozenset[tuple[bool, ...]] = frozenset().union(*(p.kinds(n) for p in premises if p.universal))
    if claim.universal:
        return claim.kinds(n) <= excluded_kinds
    possible_kinds = [p.kinds(n) for p in premises if not p.universal]
    if inhabited:
        possible_kinds += [frozenset(k for k in product((False, True), repeat=n) if k[term]) for term in range(n)]
    return any(kinds - excluded_kinds <= claim.kinds(n) for kinds in possible_kinds)


_FORMS: tuple[Form, ...] = ("all", "no", "some", "some not")
_FIRST_FIGURE: tuple[tuple[Form, Form], ...] = (("all", "all"), ("all", "no"), ("some", "all"), ("some", "no"))
"""Forms of "A … B" and "B … C" in the four perfect moods: Barbara, Celarent, Darii, Ferio."""
_PLAIN = (
    "bakers", "climbers", "cyclists", "dancers", "drivers", "gardeners", "judges", "nurses", "painters", "pilots",
    "readers", "sailors", "singers", "students", "swimmers", "teachers", "twins", "vegetarians",
)  # fmt: skip
_MADE_UP = ("blickets", "dorvins", "fendles", "glimmets", "horbs", "jaskers", "kromps", "luvits", "merts", "quillips")


def syllogism(level: int, rng: Random) -> Puzzle:
    """What follows? Level 1: perfect moods in plain words. Level 2: any mood in made-up words. Level 3: a longer chain.

    The right option follows on the modern reading. The wrong ones do not follow even if something falls under every term, so
    the answer does not depend on the reading of "all". Each form is the right one about equally often.
    """
    arguments = _arguments(level)
    form = rng.choice(sorted(arguments))
    premises, right, wrong = rng.choice(arguments[form])
    terms = tuple(rng.sample(_PLAIN if level == 1 else _MADE_UP, len(premises) + 1))
    statements = list(premises)
    rng.shuffle(statements)
    wrong_claims = _without_repetitions(rng.sample(wrong, len(wrong)))
    stem = " ".join(statement.in_words(terms) for statement in statements)
    wrongs = tuple(claim.in_words(terms) for claim in wrong_claims)
    return Puzzle(f"{stem} Which of these must be true?", rng.choice(right).in_words(terms), wrongs)


Argument: TypeAlias = tuple[tuple[Statement, ...], tuple[Statement, ...], tuple[Statement, ...]]
"""Premises, the claims of one form that follow, and the claims that do not."""


@cache
def _arguments(level: int) -> dict[Form, tuple[Argument, ...]]:
    """Every valid argument of a level, by the form of its conclusion.

    Its premises join the first term to the last through the terms in between, in every form and direction.
    """
    n = 4 if level == 3 else 3
    links = [[Statement(form, *ends) for form in _FORMS for ends in ((a, a + 1), (a + 1, a))] for a in range(n - 1)]
    perfect_moods = ((Statement(first, 0, 1), Statement(second, 1, 2)) for first, second in _FIRST_FIGURE)
    premise_sets: Iterable[tuple[Statement, ...]] = perfect_moods if level == 1 else product(*links)
    claims = tuple(Statement(form, a, b) for form in _FORMS for a, b in ((0, n - 1), (n - 1, 0)))
    arguments: dict[Form, tuple[Argument, ...]] = {}
    for premises in premise_sets:
        wrong = tuple(claim for claim in claims if not follows(claim, premises, n, inhabited=True))
        for form in _FORMS:
            right = tuple(claim for claim in claims if claim.form == form and follows(claim, premises, n))
            if right and len(_without_repetitions(list(wrong))) >= 3:
                arguments[form] = (*arguments.get(form, ()), (premises, right, wrong))
    return arguments


def _without_repetitions(claims: list[Statement]) -> list[Statement]:
    """The claims without repetitions: "no" and "some" mean the same when reversed."""
    keys: set[tuple[object, ...]] = set()
    result = []
    for claim in claims:
        ends = (claim.subject, claim.predicate)
        key = (claim.form, *(sorted(ends) if claim.form in ("no", "some") else ends))
        if key not in keys:
            keys.add(key)
            result.append(claim)
    return result
