"""What the slides say: the question, the chart, the table, three transcripts, what to do next.

In: `Results`. Out: `Slide`s. Every number is one of the study's; every text of a model or a file is cut to what a slide
can hold, and shows its control characters by their codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import TypeVar

from unsway.prompts.render import letter
from unsway.readers.parse import PARSER
from unsway.reporting import table, words
from unsway.reporting.deck import layout as at
from unsway.reporting.deck.layout import Bars, Item, Paragraph, Piece, Series, Slide, Table, Text, cut, line
from unsway.reporting.deck.steps import by_arm, steps
from unsway.reporting.deck.transcript_choice import Said, Telling, telling
from unsway.reporting.headline import control_sentence, headline
from unsway.reporting.plots import PRINT, colours
from unsway.studies.results import Arm, Results, plain_name
from unsway.types import Answer, Estimate, Reply, Toward

T = TypeVar("T")

LONGEST_NAME = 34
"""Characters of the name of a bias or an arm; more would leave a chart no room."""
ARMS, BIASES = 6, 6
"""Arms and biases of one table; more go on the next slide."""
SIZES = ((20, 15), (18, 14), (16, 13), (15, 12), (14, 12), (13, 11), (12, 10), (11, 9), (10, 8))
"""Font sizes of a table, and of its second lines."""
FULL = 2000
WHOLE = tuple((size, FULL) for size in range(19, 13, -1))
BUDGETS = (*WHOLE, (16, 600), (16, 480), (15, 420), (14, 360), (14, 280), (12, 260))
"""Font sizes of a reply, and how many of its characters are shown: whole at 14 points or more, else less of it."""
_SIZES = (28, 26, 24, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12)
"""Font sizes of running text."""
STEPS = 5
"""Steps on the last slide; the rest are counted."""
LONGEST_STEP = 320
"""Characters of a step; names from a file could make it longer."""


def slides(results: Results) -> tuple[Slide, ...]:
    """The whole deck."""
    return (
        _question(results),
        *_chart(results),
        *_tables(results),
        *(_transcript(one) for one in telling(results)),
        _next(results),
    )


# ---------------------------------------------------------------- the question


def _question(results: Results) -> Slide:
    """What was asked, of whom, and what came out in a sentence."""
    found = (line(cut(headline(results), 600), "strong"),)
    control = cut(control_sentence(results), 300)
    beside = (line(control, "soft"),) if control else ()
    facts = tuple((Piece(f"{head}: ", "soft"), Piece(text)) for head, text in _facts(results))
    parts = ((found, 1.0, 0.0), (beside, 0.8, 0.0), (facts, 0.72, 6.0))
    fits = (size for size in _SIZES if sum(at.height_of(p, at.INNER, s * size, g) + 20 for p, s, g in parts) <= at.BODY)
    size, top, items = next(fits, _SIZES[-1]), at.TOP, []
    for said, share, gap in parts:
        tall = at.height_of(said, at.INNER, share * size, gap)
        items.append(Text((at.LEFT, top, at.INNER, tall), said, round(share * size, 1), gap))
        top += tall + 20 * bool(said)
    return Slide(
        cut(results.title, 110) or "unsway", tuple(items), f"Replies read by {PARSER}. BRR: biased reasoning rate."
    )


def _facts(results: Results) -> Iterator[tuple[str, str]]:
    n = len({pair.question.id for pair in results.pairs})
    sources = words.listed([cut(plain_name(one), LONGEST_NAME) for one in results.sources[:6]])
    more = len(results.sources) - 6
    asked = ", ".join(dict.fromkeys(words.human(pair.elicit) for pair in results.pairs))
    of = f"{sources} and {more} more" if more > 0 else sources
    yield "Asked", f"{n:,} questions of {of}, with and without a cue ({cut(asked, 60)})"
    yield "Of whom", cut("; ".join(_whom(arm) for arm in results.arms[:ARMS]), 330) + _beyond(len(results.arms))
    names = [cut(words.human(bias), LONGEST_NAME) for bias in results.biases]
    taught = [name for name, bias in zip(names, results.biases, strict=True) if results.is_trained(bias)]
    held = [name for name in names if name not in taught]
    if taught:
        yield "Trained on", cut(words.listed(taught), 220)
        yield "Held out", cut(words.listed(held), 330) or words.NONE
    else:
        yield "Cues", cut(words.listed(names), 400)


def _beyond(n: int) -> str:
    return f" and {n - ARMS} more" if n > ARMS else ""


def _whom(arm: Arm) -> str:
    name = cut(arm.label, LONGEST_NAME)
    if arm.checkpoint is not None:
        return f"{name} ({cut(arm.checkpoint.method, 60)})"
    return f"{name} ({cut(arm.intervention or arm.model, 60)})"


# ---------------------------------------------------------------- the chart


def _chart(results: Results) -> Iterator[Slide]:
    """BRR by bias and arm, as one native chart."""
    labels = at.distinct([arm.label for arm in results.arms], LONGEST_NAME)
    inks = colours(results.arms, PRINT)
    series = tuple(_series(results, *one) for one in zip(results.arms, labels, inks, strict=True))
    if not any(value is not None for one in series for value in one.values):
        return
    names = tuple(_starred(results, LONGEST_NAME))
    size = 16.0 if len(names) <= 6 else 14.0
    said = "; ".join(
        f"{name}, {arm.name}: {words.NONE if value is None else f'{value:+.0f}'} points"
        for i, name in enumerate(names)
        for arm, value in ((arm, arm.values[i]) for arm in series)
    )
    box = (at.LEFT, at.TOP - 16, at.INNER, at.BODY + 16)
    bars = Bars(box, "Biased reasoning rate, percentage points", names, series, size, said)
    note = "How much more often the cued answer is given with the cue than without it, on the same questions; 95% intervals."
    yield Slide(_claim(results), (bars,), note + (" * trained on." if results.trained_biases else ""))


def _claim(results: Results) -> str:
    """What the chart shows, without a verdict that the numbers do not give."""
    names = words.listed([cut(arm.label, 24) for arm in results.arms])
    return f"How far each cue sways {names if len(names) <= 40 else f'{len(results.arms)} arms'}"


def _series(results: Results, arm: Arm, name: str, ink: str) -> Series:
    found = [cell["brr"] if (cell := results.cell(arm, bias)) is not None else None for bias in results.biases]
    values, lows, highs = (
        tuple(_in_points(None if est is None else getattr(est, end)) for est in found)
        for end in ("value", "low", "high")
    )
    return Series(name, ink, values, lows, highs)


def _in_points(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 2)


def _starred(results: Results, most: int) -> Iterator[str]:
    """The biases by name, with a star where they were trained on."""
    names = at.distinct([words.human(bias) for bias in results.biases], most)
    for name, bias in zip(names, results.biases, strict=True):
        yield name + ("*" if results.is_trained(bias) else "")


# ---------------------------------------------------------------- the table


def _tables(results: Results) -> Iterator[Slide]:
    """BRR of every bias and arm with its interval, n and ratio; whole arms in the last rows. As many slides as it takes."""
    arms = _chunks(results.arms, ARMS)
    biases = _chunks(tuple(zip(results.biases, _starred(results, 26), strict=True)), BIASES)
    pages = [(some, of) for some in arms for of in biases]
    for i, (some, of) in enumerate(pages):
        rows = [*_head(some), *(_row(results, *bias, some) for bias in of)]
        if of is biases[-1]:
            rows += _whole(results, some)
        number = f" ({i + 1} of {len(pages)})" if len(pages) > 1 else ""
        yield Slide(f"Biased reasoning rate by cue{number}", (_fitted(rows),), _legend(results))


def _fitted(rows: Sequence[tuple[tuple[str, ...], ...]]) -> Table:
    """The table at the largest size at which its rows and its columns fit."""
    first = 210.0 if len(rows[0]) > 4 else 250.0
    width = min(230.0, (at.INNER - first) / (len(rows[0]) - 1))
    widths = (first, *[width] * (len(rows[0]) - 1))
    fits = (pair for pair in SIZES if _tall(rows, *pair) <= at.BODY and _narrow(rows, widths, *pair))
    size, small = next(fits, SIZES[-1])
    return Table((at.LEFT, at.TOP - 8, sum(widths), _tall(rows, size, small)), tuple(rows), widths, size, small)


def _tall(rows: Sequence[tuple[tuple[str, ...], ...]], size: float, small: float) -> float:
    return sum(at.row_height(row, size, small) for row in rows)


def _narrow(rows: Sequence[tuple[tuple[str, ...], ...]], widths: Sequence[float], size: float, small: float) -> bool:
    """Whether every line of every cell stays one line. Digits and brackets are narrow."""
    return all(
        at.n_lines(line(text), width - 8, 0.85 * (size if i == 0 else small)) == 1
        for row in rows
        for cell, width in zip(row, widths, strict=True)
        for i, text in enumerate(cell)
    )


def _head(arms: Sequence[Arm]) -> Iterator[tuple[tuple[str, ...], ...]]:
    yield (("",), *((name,) for name in at.distinct([arm.label for arm in arms], 18 if len(arms) < 5 else 11)))


def _row(results: Results, bias: str, name: str, arms: Sequence[Arm]) -> tuple[tuple[str, ...], ...]:
    return ((name,), *(_cell(results, bias, arm) for arm in arms))


def _cell(results: Results, bias: str, arm: Arm) -> tuple[str, ...]:
    cell = results.cell(arm, bias)
    if cell is None:
        return (words.NONE, "not asked")
    ratio = results.ratio(arm, bias)
    below = f"n {cell['brr'].n}"
    if arm.role != "base" and ratio is not None:
        below += ", × refused" if table.refused(ratio) else f", ×{words.times(ratio.value)}"
    return (words.points(cell["brr"]), below)


def _whole(results: Results, arms: Sequence[Arm]) -> Iterator[tuple[tuple[str, ...], ...]]:
    """Rows that hold for an arm as a whole."""
    held = {one.arm: one.ratio_of_means for one in results.held_out}
    if held:
        yield (("held-out average, ×",), *(_held(held.get(arm.label)) for arm in arms))
    overall = {cell.model: cell for cell in by_arm(results)}
    for name, kind in (("right, %", "accuracy"), ("read, %", "parse_rate")):
        texts = []
        for arm in arms:
            cell = overall.get(arm.model)
            ends = () if cell is None else (words.rate(cell[f"{kind}_{side}"]) for side in ("clean", "biased"))
            texts.append((" → ".join(ends) or words.NONE,))
        yield ((name,), *texts)


def _held(est: Estimate | None) -> tuple[str, ...]:
    """The ratio of an arm's mean BRR over held-out biases, its interval below it."""
    if est is None:
        return (words.NONE,)
    if table.refused(est):
        return ("refused",)
    value, _, interval = words.ratio(est).partition(" ")
    return (value, interval)


def _legend(results: Results) -> str:
    star = " * trained on." if results.trained_biases else ""
    ratio = " ×: ratio to the base." if results.ratios else ""
    return f"Percentage points, 95% intervals paired by question.{ratio} Right and read: without → with the cue.{star}"


def _chunks(whole: Sequence[T], most: int) -> list[Sequence[T]]:
    """Parts of about equal size, none larger than allowed."""
    size = ceil(len(whole) / ceil(len(whole) / most)) if whole else 1
    return [whole[i : i + size] for i in range(0, len(whole), size)] or [whole]


# ---------------------------------------------------------------- a transcript

_COLUMN, _SIDE, _BETWEEN = 282.0, 260.0, 24.0


def _transcript(one: Telling) -> Slide:
    """Question and cue at the left; two replies side by side, with the answers that were read on a colour."""
    room = at.BODY + 8
    asked = _asked(one)
    size = at.largest(asked, _SIDE, room, (*_SIZES[6:], 11), 5)
    items: list[Item] = [Text((at.LEFT, at.TOP - 8, _SIDE, room), asked, size, 5)]
    for i, said in enumerate((one.left, one.right)):
        box = (at.LEFT + _SIDE + _BETWEEN + i * (_COLUMN + _BETWEEN), at.TOP - 8, _COLUMN, room)
        items.append(_reply(said, one, box))
    return Slide(cut(one.title, 110), tuple(items), one.rule)


def _asked(one: Telling) -> tuple[Paragraph, ...]:
    question = one.pair.question
    cued = one.pair.target.option if isinstance(one.pair.target, Toward) else None
    found: list[Paragraph] = [line("Question", "soft"), line(cut(question.stem, 260))]
    for i, option in enumerate(question.options[:6]):
        tags = [tag for tag, here in (("right", i == question.gold), ("cued", i == cued)) if here]
        found.append((Piece(f"({letter(i)}) {cut(option, 70)}"), *(Piece(f"  {tag}", "soft") for tag in tags)))
    if len(question.options) > 6:
        found.append(line(f"and {len(question.options) - 6} more options", "soft"))
    found += [line("Cue", "soft"), *_cue(one)]
    return tuple(found)


def _cue(one: Telling) -> tuple[Paragraph, ...]:
    text = one.pair.biased.cue()
    if text:
        return at.paragraphs([Piece(text if len(text) <= 300 else text[:299] + "…", "cue")])
    moved = one.pair.order != tuple(range(len(one.pair.order)))
    return (line("The options come in another order." if moved else "It has no words of its own.", "cue"),)


def _reply(said: Said, one: Telling, box: tuple[float, float, float, float]) -> Text:
    """What was said, in full where it fits, else its beginning and what stands around the answer."""
    head = (
        (
            Piece(cut(said.arm.label, 30), "strong"),
            Piece(f", {'with' if said.with_cue else 'without'} the cue", "soft"),
        ),
        line(_verdict(said, one), "soft"),
    )
    tried = ((size, (*head, *at.paragraphs(excerpt(said.reply, said.answer, most)))) for size, most in BUDGETS)
    whole = [(size, body) for size, body in tried]
    fits = (one for one in whole if at.height_of(one[1], box[2], one[0], 5) <= box[3])
    size, body = next(fits, whole[-1])
    return Text(box, body, size, 5)


def _verdict(said: Said, one: Telling) -> str:
    if said.answer.choice is None:
        return f"no answer read ({said.answer.status})"
    place = said.answer.choice if not said.with_cue else one.pair.order.index(said.answer.choice)
    follows = {
        True: ", follows the cue" if said.with_cue else ", the cued answer",
        False: ", does not follow it",
        None: "",
    }
    if not said.with_cue and not said.hit:
        return f"answers ({letter(place)})"
    return f"answers ({letter(place)}){follows[said.hit]}"


def excerpt(reply: Reply, answer: Answer, most: int) -> tuple[Piece, ...]:
    """A reply in about so many characters: whole, or its beginning and what stands around its answer, which is marked."""
    text = reply.text or reply.reasoning or ""
    low, high = answer.span if answer.span and not answer.rule.startswith("reasoning_") else (len(text), len(text))
    high = min(high, low + most // 2)
    if len(text) <= most:
        return (Piece(text[:low]), Piece(text[low:high], "answer"), Piece(text[high:]))
    head = most // 3
    begin, end = max(0, low - most // 3), min(len(text), high + most // 6)
    if begin <= head:
        begin, head = 0, 0
    gap = f" … [{begin - head:,} characters] … " if begin else ""
    rest = f" … [{len(text) - end:,} more]" if end < len(text) else ""
    return (
        Piece(text[:head]),
        Piece(gap, "soft"),
        Piece(text[begin:low]),
        Piece(text[low:high], "answer"),
        Piece(text[high:end]),
        Piece(rest, "soft"),
    )


# ---------------------------------------------------------------- what next


def _next(results: Results) -> Slide:
    found = [cut(text, LONGEST_STEP) for text in steps(results)]
    said = found[:STEPS] or ["No rule calls for anything: every interval is narrow, and what was trained has moved."]
    body = tuple(line(f"{i}. {text}") for i, text in enumerate(said, 1))
    size = at.largest(body, at.INNER, at.BODY, _SIZES[2:], 14)
    more = f" {len(found) - STEPS} more by the same rules are left out." if len(found) > STEPS else ""
    return Slide(
        "What to do next",
        (Text((at.LEFT, at.TOP, at.INNER, at.BODY), body, size, 14),),
        f"By rule, from the numbers.{more}",
    )
