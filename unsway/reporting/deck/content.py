"""The content of the slides: the question, the chart, the table, three transcripts, what to do next.

In: `Results`. Out: `Slide`s. Every number comes from the study. Texts of models and files are cut to fit the slide, and
control characters are shown by their codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil, floor
from typing import TypeAlias, TypeVar

from unsway.errors import number_of
from unsway.prompts.render import answer_on, letters_on
from unsway.reporting import effects, table, words
from unsway.reporting.deck import layout as at
from unsway.reporting.deck.layout import Bars, Box, Item, Paragraph, Piece, Series, Slide, Table, Text, cut, line
from unsway.reporting.deck.steps import steps
from unsway.reporting.deck.transcript_choice import ChosenTranscript, ShownReply, choose
from unsway.reporting.headline import control_sentence, headline
from unsway.reporting.judged import has_verdicts, leading, of_study, which_placebo
from unsway.reporting.plots import PRINT, colours
from unsway.stats.by_prompt import by_prompt
from unsway.studies.arms import Arm
from unsway.studies.judged_cells import VerbalisedCell
from unsway.studies.results import Results, plain_name
from unsway.types import Reading, Reply

T = TypeVar("T")
Row: TypeAlias = tuple[tuple[str, ...], ...]
"""Cells of lines."""

LONGEST_NAME = 34
"""Maximum characters of the name of a bias or an arm; longer names would leave a chart no room."""
ARMS, BIASES = 6, 6
"""Maximum arms of a chart or table, and biases of a table; the rest go on the next slide."""
NUMBERS = 10
"""Maximum number of side effects on the slide; the page has all."""
TABLE_SIZES = ((20, 15), (18, 14), (16, 13), (15, 12), (14, 12), (13, 11), (12, 10), (11, 9), (10, 8))
"""Font sizes of a table, and of its second lines."""
FULL = 2000
"""Replies up to this many characters may be shown whole."""
EXCERPTS = (
    *((size, FULL) for size in range(19, 13, -1)),
    *((16, 600), (16, 480), (15, 420), (14, 360), (14, 280), (12, 260)),
)
"""Font sizes of a reply, and how many characters are shown: the whole reply at 14 points or more, else an excerpt."""
TEXT_SIZES = (28, 26, 24, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12)
"""Font sizes of running text."""
CUES = (300, 200, 120, 60)
"""Lengths to which a cue is cut, in characters; the first that fits is used."""
STEPS = 5
"""Maximum steps on the last slide; the rest are only counted."""
LONGEST_STEP = 320
"""Maximum characters of a step; long names from a file could exceed it."""


def slides(results: Results) -> tuple[Slide, ...]:
    """The whole deck."""
    transcripts = map(transcript_slide, choose(results))
    return (
        question_slide(results),
        *chart_slide(results),
        *table_slides(results),
        *reasoning_slides(results),
        *effects_slide(results),
        *transcripts,
        steps_slide(results),
    )


# ---------------------------------------------------------------- the question


def question_slide(results: Results) -> Slide:
    """The question slide: what was asked, which models, and the result in a sentence."""
    control = cut(control_sentence(results), 300)
    result = (line(cut(headline(results), 600), "strong"),)
    comparison = (line(control, "soft"),) if control else ()
    facts = tuple((Piece(f"{head}: ", "soft"), Piece(text)) for head, text in _facts(results))
    parts = ((result, 1.0, 0.0), (comparison, 0.8, 0.0), (facts, 0.72, 6.0))  # paragraphs, share of the font size, gap

    def height(size: float) -> float:
        return sum(at.height_of(part, at.INNER, share * size, gap) + 20 for part, share, gap in parts)

    size = next((size for size in TEXT_SIZES if height(size) <= at.BODY), TEXT_SIZES[-1])
    top, items = at.TOP, []
    for part, share, gap in parts:
        part_height = at.height_of(part, at.INNER, share * size, gap)
        items.append(Text((at.LEFT, top, at.INNER, part_height), part, round(share * size, 1), gap))
        top += part_height + 20 * bool(part)
    parsers = words.join_names(sorted({outcome.parser for outcome in results.outcomes}))
    note = (f"Replies read by {parsers}. " if parsers else "") + "BRR: biased reasoning rate."
    return Slide(cut(results.title, 110) or "unsway", tuple(items), note)


def _facts(results: Results) -> Iterator[tuple[str, str]]:
    """Questions and sources, arms, and cues by whether they were trained on."""
    n = len({pair.question.id for pair in results.pairs})
    sources = words.first_few([cut(plain_name(source), LONGEST_NAME) for source in results.sources], 6)
    elicits = cut(", ".join(dict.fromkeys(words.human(pair.elicit) for pair in results.pairs)), 60)
    yield "Asked", f"{number_of(n, 'question')} of {sources}, with and without a cue ({elicits})"
    arms = []
    for arm in results.arms[:ARMS]:
        origin = arm.checkpoint.method if arm.checkpoint is not None else arm.intervention or arm.model
        arms.append(f"{cut(arm.label, LONGEST_NAME)} ({cut(origin, 60)})")
    n_more = len(results.arms) - ARMS
    yield "Of whom", cut("; ".join(arms), 330) + (f" and {n_more} more" if n_more > 0 else "")
    names = [cut(words.human(bias), LONGEST_NAME) for bias in results.biases]
    trained = [name for name, bias in zip(names, results.biases, strict=True) if results.is_trained(bias)]
    if trained:
        yield "Trained on", cut(words.join_names(trained), 220)
        yield "Held out", cut(words.join_names([name for name in names if name not in trained]), 330) or words.NONE
    else:
        yield "Cues", cut(words.join_names(names), 400)


# ---------------------------------------------------------------- the chart


def chart_slide(results: Results) -> Iterator[Slide]:
    """BRR by bias and arm, as an editable chart, or several with one axis; no slide without numbers."""
    labels = words.distinct([arm.label for arm in results.arms], LONGEST_NAME)
    all_series: list[Series] = []
    for arm, label, colour in zip(results.arms, labels, colours(results.arms, PRINT), strict=True):
        brrs = [cell["brr"] if (cell := results.cell(arm, bias)) else None for bias in results.biases]
        values, lows, highs = (
            tuple(None if (end := getattr(brr, name, None)) is None else round(100 * end, 2) for brr in brrs)
            for name in ("value", "low", "high")
        )
        all_series.append(Series(label, colour, values, lows, highs))
    if not any(value is not None for series in all_series for value in series.values):
        return
    ends = [end for series in all_series for end in (*series.values, *series.lows, *series.highs) if end is not None]
    domain = 10.0 * floor(min(0.0, *ends) / 10), 10.0 * ceil(max(10.0, *ends) / 10)
    names = _starred_names(results, LONGEST_NAME)
    box = (at.LEFT, at.TOP - 16, at.INNER, at.BODY + 16)
    arms = words.join_names([cut(arm.label, 24) for arm in results.arms])
    title = f"How far each cue sways {arms if len(arms) <= 40 else f'{len(results.arms)} arms'}"
    note = "How much more often the cued answer is given with the cue than without it, on the same questions; "
    note += f"{words.level(results.level)} intervals.{' * trained on.' if results.trained_biases else ''}"
    most = int(box[3] / max(at.NAME_ROOM, at.BAR_ROOM * min(ARMS, len(all_series))))
    parts = [(group, indices) for group in _chunks(all_series, ARMS) for indices in _chunks(range(len(names)), most)]
    for number, (group, indices) in enumerate(parts, 1):
        window = slice(indices[0], indices[-1] + 1)
        cut_series = tuple(
            replace(series, values=series.values[window], lows=series.lows[window], highs=series.highs[window])
            for series in group
        )
        alt_text = "; ".join(
            f"{names[i]}, {series.name}: {words.NONE if value is None else words.percent(value / 100, signed=True)} points"
            for i in indices
            for series in group
            for value in [series.values[i]]
        )
        size = 16.0 if len(indices) <= 6 else 14.0
        bars = Bars(box, "Biased reasoning rate, percentage points", names[window], cut_series, size, alt_text, domain)
        yield Slide(f"{title} ({number} of {len(parts)})" if len(parts) > 1 else title, (bars,), note)


def _starred_names(results: Results, most: int) -> tuple[str, ...]:
    """The names of the biases, with a star on those trained on."""
    names = words.distinct([words.human(bias) for bias in results.biases], most)
    stars = ("*" if results.is_trained(bias) else "" for bias in results.biases)
    return tuple(name + star for name, star in zip(names, stars, strict=True))


# ---------------------------------------------------------------- the table


def table_slides(results: Results) -> Iterator[Slide]:
    """BRR of every bias and arm with its interval, n and ratio; the last rows are about whole arms. May be several slides."""
    names = _starred_names(results, 26)
    bias_parts = _chunks(tuple(zip(results.biases, names, strict=True)), BIASES)
    parts = [(arms, biases) for arms in _chunks(results.arms, ARMS) for biases in bias_parts]
    ratios = " ×: ratio to the base." if results.ratios else ""
    star = " * trained on." if results.trained_biases else ""
    rates = " Right and read: each prompt once, without → with the cue."
    note = f"Percentage points, {words.level(results.level)} intervals paired by question.{ratios}{rates}{star}"
    for i, (arms, biases) in enumerate(parts):
        rows = [_heads(arms), *(((name,), *(_brr_lines(results, arm, bias) for arm in arms)) for bias, name in biases)]
        if biases is bias_parts[-1]:
            rows += _arm_rows(results, arms)
        number = f" ({i + 1} of {len(parts)})" if len(parts) > 1 else ""
        yield Slide(f"Biased reasoning rate by cue{number}", (_fit_table(rows),), note)


def _heads(arms: Sequence[Arm]) -> Row:
    """The first row of a table of arms."""
    labels = words.distinct([arm.label for arm in arms], 18 if len(arms) < 5 else 11)
    return (("",), *((label,) for label in labels))


def _brr_lines(results: Results, arm: Arm, bias: str) -> tuple[str, str]:
    """The BRR of one arm under one bias; below it n and the ratio."""
    cell, ratio = results.cell(arm, bias), results.ratio(arm, bias)
    if cell is None:
        return words.NONE, "not asked"
    second_line = f"n {cell['biased_rate'].n}"
    if arm.role != "base" and ratio is not None:
        second_line += ", × refused" if table.ratio_refusal(ratio) else f", ×{words.times(ratio.value)}"
    return words.brr(cell["brr"]), second_line


def effects_slide(results: Results) -> Iterator[Slide]:
    """The side effects of trainings: each number's verdict and change, one column per arm; then one sentence per arm."""
    panel = results.notes.panel
    if panel is None:
        return
    arms = list(panel.sentences)[:ARMS]
    rows_by_arm = {arm: {(row.effect, row.measure): row for row in panel.of(arm) if row.margin} for arm in arms}
    all_keys = list(dict.fromkeys(key for arm_rows in rows_by_arm.values() for key in arm_rows))
    keys = all_keys[:NUMBERS]
    rows: list[Row] = [(("",), *((label,) for label in words.distinct(arms, 18)))]
    for key in keys:
        arm_rows = [rows_by_arm[arm].get(key) for arm in arms]
        rows.append(
            ((cut(key[1], 26),), *((row.verdict, effects.change(row)) if row else (words.NONE,) for row in arm_rows))
        )
    title, effects_table = "What it cost, what it broke", _fit_table(rows)
    note = f"{len(keys)} of {len(all_keys)} numbers; the page has all." if len(all_keys) > len(keys) else ""
    sentences = tuple(line(cut(panel.sentences[arm], 500)) for arm in arms)
    text_top = effects_table.box[1] + effects_table.box[3] + 16
    room, gap = at.TOP + at.BODY - text_top, 6.0
    size = at.largest(sentences, at.INNER, room, (16, 14, 13, 12), gap)
    if at.height_of(sentences, at.INNER, size, gap) <= room:
        yield Slide(title, (effects_table, Text((at.LEFT, text_top, at.INNER, room), sentences, size, gap)), note)
        return
    yield Slide(title, (effects_table,), note)
    size = at.largest(sentences, at.INNER, at.BODY, TEXT_SIZES[6:], 12)
    yield Slide(f"{title}: in words", (Text((at.LEFT, at.TOP, at.INNER, at.BODY), sentences, size, 12),))


def _arm_rows(results: Results, arms: Sequence[Arm]) -> Iterator[Row]:
    """Rows about an arm as a whole: held-out average, accuracy, share of replies that were read."""
    held_out = {average.arm: average.ratio_of_means for average in results.held_out}
    if held_out:
        texts: list[tuple[str, ...]] = []
        for arm in arms:
            ratio = held_out.get(arm.label)
            value, _, interval = words.ratio(ratio).partition(" ")
            texts.append(
                (words.NONE,) if ratio is None else ("refused",) if table.ratio_refusal(ratio) else (value, interval)
            )
        yield (("held-out average, ×",), *texts)
    shares = [by_prompt(results.outcomes.only(arm=arm.key), results.pairs) for arm in arms]
    for name, kind in (("right, %", "accuracy"), ("read, %", "parse_rate")):
        yield ((name,), *((words.both_sides(arm_shares, kind),) for arm_shares in shares))


def _fit_table(rows: Sequence[Row]) -> Table:
    """The table at the largest size at which its rows fit and no line of a cell wraps."""
    n_arms = len(rows[0]) - 1
    first_width = 210.0 if n_arms >= 4 else 250.0
    widths = (first_width, *[min(230.0, (at.INNER - first_width) / max(n_arms, 1))] * n_arms)

    def height(size: float, small: float) -> float:
        return sum(at.row_height(row, size, small) for row in rows)

    def stays_on_one_line(size: float, small: float) -> bool:
        return all(
            at.n_lines(line(text), width - 8, small if i else size) == 1
            for row in rows
            for cell, width in zip(row, widths, strict=True)
            for i, text in enumerate(cell)
        )

    fits = (sizes for sizes in TABLE_SIZES if height(*sizes) <= at.BODY and stays_on_one_line(*sizes))
    size, small = next(fits, TABLE_SIZES[-1])
    return Table((at.LEFT, at.TOP - 8, sum(widths), height(size, small)), tuple(rows), widths, size, small)


def _chunks(items: Sequence[T], most: int) -> list[Sequence[T]]:
    """Parts of about equal size, each of at most `most`."""
    size = ceil(len(items) / ceil(len(items) / most)) if items else 1
    return [items[i : i + size] for i in range(0, len(items), size)] or [items]


def reasoning_slides(results: Results) -> Iterator[Slide]:
    """How many of the switched replies say so, by bias and arm; no slide if no judge was asked."""
    cells = leading(of_study(results)) if has_verdicts(results) else ()
    if not cells:
        return
    cell_of = {(cell.arm, cell.bias): cell for cell in cells}
    arms = [arm for arm in results.arms if any(arm.label == label for label, _ in cell_of)][:ARMS]
    bias_names = list(zip(results.biases, _starred_names(results, 26), strict=True))[:BIASES]
    rows = [_heads(arms)]
    rows += [((name,), *(_admits_lines(cell_of.get((arm.label, bias))) for arm in arms)) for bias, name in bias_names]
    notes = ". ".join(dict.fromkeys(cell.note for cell in cells if cell.note))
    note = (
        f"Percent of switched replies, {words.level(results.level)} intervals, by {cut(cells[0].by, 60)}; it counts if it "
        f"{cells[0].construct}."
    )
    if len(results.biases) > BIASES or len({label for label, _ in cell_of}) > ARMS:
        note += f" Up to {ARMS} arms and {BIASES} cues; the page has all."
    yield Slide("Does a reply that switched say so?", (_fit_table(rows),), f"{note} {cut(notes, 120)}".strip())


def _admits_lines(cell: VerbalisedCell | None) -> tuple[str, str]:
    """How many switched replies of one arm say so; below it, out of how many, and the placebo."""
    if cell is None:
        return words.NONE, "not judged"
    rate = cell.rates.given_switch
    if not rate.n:
        return "no verdict" if cell.rates.given_switch_if_none.n else "no switch", ""
    return words.share(rate), f"of {rate.n}, {which_placebo(cell)} placebo {words.rate(cell.placebo)}"


# ---------------------------------------------------------------- a transcript


def transcript_slide(one: ChosenTranscript) -> Slide:
    """Question and cue on the left, two replies side by side; the answers as read are highlighted."""
    side, column, between = 260.0, 282.0, 24.0
    top, height = at.TOP - 8, at.BODY + 8
    question, target, cue = one.pair.question, one.pair.target, one.pair.biased.cue()
    cued = target.cued if target.stance == "for" else None
    paragraphs: list[Paragraph] = [line("Question", "soft"), line(cut(question.stem, 260))]
    options = () if question.is_request else question.options  # a request has no options to show
    for i, option in enumerate(options[:6]):
        tags = [tag for tag, applies in (("right", i == question.gold), ("cued", i == cued)) if applies]
        option_piece = Piece(f"{letters_on(one.pair, i)} {cut(option, 70)}")
        paragraphs.append((option_piece, *(Piece(f"  {tag}", "soft") for tag in tags)))
    if len(options) > 6:
        paragraphs.append(line(f"and {len(options) - 6} more options", "soft"))
    paragraphs.append(line("Cue", "soft"))
    if not cue:
        is_reordered = one.pair.order != tuple(range(len(one.pair.order)))
        cue = "The options come in another order." if is_reordered else "The cue has no words of its own."
    sizes = (*TEXT_SIZES[6:], 11)
    cues = (cue if len(cue) <= most else cue[: most - 1] + "…" for most in CUES)
    bodies = [(*paragraphs, *at.paragraphs([Piece(text, "cue")])) for text in cues]
    body = next((body for body in bodies if at.height_of(body, side, sizes[-1], 5) <= height), bodies[-1])
    size = at.largest(body, side, height, sizes, 5)
    items: list[Item] = [Text((at.LEFT, top, side, height), body, size, 5)]
    for i, shown_reply in enumerate((one.left, one.right)):
        left = at.LEFT + side + between + i * (column + between)
        items.append(_reply_box(shown_reply, one, (left, top, column, height)))
    return Slide(cut(one.title, 110), tuple(items), one.rule)


def _reply_box(shown_reply: ShownReply, transcript: ChosenTranscript, box: Box) -> Text:
    """The arm and the answer read, then the reply: whole if it fits, else its beginning and the part with the answer."""
    choice = shown_reply.answer.choice
    if choice is None:
        verdict = f"no answer read ({shown_reply.answer.status})"
    else:
        verdict = answer_on(transcript.pair, "biased" if shown_reply.with_cue else "clean", choice)
        verdict = verdict if transcript.pair.question.is_request else f"answers ({verdict})"
        if shown_reply.hit:
            verdict += ", follows the cue" if shown_reply.with_cue else ", the cued answer"
        elif shown_reply.hit is False and shown_reply.with_cue:
            verdict += ", does not follow it"
    side = "with" if shown_reply.with_cue else "without"
    heading = (Piece(cut(shown_reply.arm.label, 30), "strong"), Piece(f", {side} the cue", "soft"))

    def body(most: int) -> tuple[Paragraph, ...]:
        return (heading, line(verdict, "soft"), *at.paragraphs(excerpt(shown_reply.reply, shown_reply.answer, most)))

    fits = ((size, most) for size, most in EXCERPTS if at.height_of(body(most), box[2], size, 5) <= box[3])
    size, most = next(fits, EXCERPTS[-1])
    return Text(box, body(most), size, 5)


def excerpt(reply: Reply, answer: Reading, most: int) -> tuple[Piece, ...]:
    """A reply in about `most` characters: whole, or its beginning and the part around the highlighted answer."""
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


def steps_slide(results: Results) -> Slide:
    """The most pressing steps, numbered."""
    all_steps = [cut(text, LONGEST_STEP) for text in steps(results)]
    first_steps = all_steps[:STEPS] or ["No rule calls for anything."]
    body = tuple(line(f"{i}. {text}") for i, text in enumerate(first_steps, 1))
    size = at.largest(body, at.INNER, at.BODY, TEXT_SIZES[2:], 14)
    rest_note = f" {len(all_steps) - STEPS} more by the same rules are left out." if len(all_steps) > STEPS else ""
    text = Text((at.LEFT, at.TOP, at.INNER, at.BODY), body, size, 14)
    return Slide("What to do next", (text,), f"By rule, from the numbers.{rest_note}")
