"""One self-contained page: headline, charts, table, transcripts, and how to run the study again.

In: `Results`. Out: one HTML file that opens from disk and makes no network request. Model output is hostile: Jinja2
escapes every text, data is JSON that cannot leave its element or is compressed, scripts insert text and never markup, and
a content security policy allows the scripts and styles of this file by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway import layout
from unsway.assets import cache_folder
from unsway.disk import write_bytes, write_text
from unsway.extras import requires
from unsway.reporting import charts, costs, effects, table, words
from unsway.reporting.chips import chips
from unsway.reporting.headline import comparisons, headline, refusals
from unsway.reporting.markup import as_json, asset, environment, json_pieces, policy, trusted
from unsway.seeds import content_id
from unsway.studies.redaction import redact_results
from unsway.studies.results import Results

if TYPE_CHECKING:
    from unsway.studies.inspect_folder import Difference
    from unsway.studies.judged import Judged

SCRIPTS = ("dom.js", "charts.js", "arms.js", "list.js", "pair.js", "viewer.js", "page.js")
"""The scripts that form the page's single module, in this order."""
MOST_DATA = 2_700_000
"""Maximum bytes of packed numbers and transcripts. As base64 text they are a third larger; with charts and scripts a page
stays below 5 MB, which mail servers and chat programs accept."""
TRY_ALL, TRY_FIRST = 8_000_000, 2_000_000
"""Characters of replies: up to the first number, all pairs are packed at once; above it, the second number is tried first."""
LEFT_HEADS = (
    "bias",
    "arm",
    "pairs",
    "counted",
    "left out (without / with the cue)",
    "BRR as read",
    "at most",
    "at least",
)
ARM_HEADS = ("arm", "model", "weights", "method", "trained on", "examples (sha256)")


def write_page(results: Results, path: str | Path, against: Difference | None = None) -> Path:
    """Write the page atomically.

    Args:
        results: The study.
        path: Where to write; a folder gets a `report.html`.
        against: The difference from another folder, shown in its own section.
    """
    target = Path(path)
    return write_text(target / layout.PAGE if target.is_dir() else target, html(results, against))


def html(results: Results, against: Difference | None = None) -> str:
    """The page as text. Equal results give the same text."""
    from unsway.reporting import folders, judged, reasoning, requests  # imports numpy

    results = redact_results(results)
    figures = charts.figures(results)
    judge_results = judged.of_study(results)
    data, pairs_shown = _data(results, judge_results)
    css, script, runtime = asset("page.css"), "\n".join(map(asset, SCRIPTS)), _chart_runtime()
    rates = requests.of_study(results)
    strips = effects.strips(results.notes.panel) if results.notes.panel else ()
    no_ratio = ""
    comparison_sentences = comparisons(results)
    if results.ratios and not any(figure.id == "ratio" for figure in figures):
        no_ratio = f"No ratio to the base can be given: {refusals(ratio.estimate for ratio in results.ratios)}."
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            title=words.visible(results.title),
            headline=headline(results),
            comparisons=comparison_sentences,
            has_results=bool(figures or no_ratio or comparison_sentences),
            csp=policy((css,), (runtime, script)),
            css=trusted(css),
            runtime=trusted(runtime),
            script=trusted(script),
            figures=figures,
            specs={figure.id: trusted(as_json(figure.spec)) for figure in figures},
            no_ratio=no_ratio,
            chart_heads=charts.HEADS,
            reasoning=[*judged.tables(results, judge_results), *reasoning.tables(results)],
            treated=None if rates is None else (requests.page_lines(rates), list(requests.dots(rates, results))),
            treatment=requests,
            panel=strips,
            **_forecasts(results),
            decisions={head: lines for head, lines in results.notes.decisions.items() if lines},
            panel_notes=effects.caveats(results.notes.panel) if results.notes.panel else (),
            panel_heads=effects.STRIP_HEADS,
            lost={arm: effects.lost_lines(results.notes.panel, arm) for arm, *_ in strips if results.notes.panel},
            strip=effects,
            data=data,
            pairs_shown=pairs_shown,
            chips=chips(results),
            against=against,
            against_tables=() if against is None else (folders.asked_rows(against), folders.change_rows(against)),
            **_tables(results),
        )
    )


def _data(results: Results, judge_results: Judged) -> tuple[str, str]:
    """Numbers and transcripts for the scripts; and, if not all pairs fit, the share that they hold."""
    from unsway.reporting import judged, transcripts

    n_pairs, least = len({pair.id for pair in results.pairs}), len(results.biases)
    n_characters = sum(results.said_by(arm).total("length") for arm in results.arms)
    most = n_pairs if n_characters <= TRY_ALL else max(least, n_pairs * TRY_FIRST // n_characters)
    tries = 0 if most == n_pairs else 1  # estimate from a few pairs how many will fit
    while True:
        body = {
            "rows": table.rows(results),
            "by_source": table.rows_by_source(results),
            "transcripts": transcripts.pack(results, judged.admissions(judge_results), most),
        }
        buffer = BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as file:
            for piece in json_pieces(body):
                file.write(piece.encode("ascii"))
        size = buffer.getbuffer().nbytes
        if (size <= MOST_DATA and not tries) or (size > MOST_DATA and most <= least):
            break
        most, tries = min(n_pairs, max(least, int(0.95 * most * MOST_DATA / size))), 0
    n_shown = len(transcripts.shown_pairs(results.pairs, most))
    note = (
        f"{n_shown:,} of {n_pairs:,} pairs are here, the same share of every bias: those of the questions that come first in "
        f"an order by a hash with seed {transcripts.SEED}, with the replies of every arm, switched or not. The numbers of "
        "the tables and charts are of all pairs; the folder has all transcripts."
        if n_shown < n_pairs
        else ""
    )
    return base64.b64encode(buffer.getbuffer()).decode("ascii"), note  # base64: model text cannot end its element


def fragment(results: Results) -> str:
    """The headline and the table as a piece of HTML for a notebook: no script, no style sheet."""
    return environment().get_template("fragment.html.j2").render(headline=headline(results), **_tables(results))


# ---------------------------------------------------------------- text of the tables


def _tables(results: Results) -> dict[str, Any]:
    """Every table of the page, for the templates."""
    main_rows = []
    for row, (bias, *texts) in zip(table.rows(results), table.cells_as_text(results), strict=True):
        texts[table.HEADS.index("excluded") - 1] = str(row["n_excluded"])  # the reasons have a separate table
        link = {"bias": words.visible(str(row["bias"])), "arm": words.visible(str(row["arm"]))}
        main_rows.append((bias, {"texts": texts, **link}))
    exclusion_rows = []
    for arm, cell in table.arm_cells(results):
        counts = (str(cell.n_pairs), str(cell["biased_rate"].n), table.reasons(cell))
        bounds = tuple(words.points(cell[f"brr_{name}"]) for name in ("read", "missing_hit", "missing_miss"))
        exclusion_rows.append((words.human(cell.bias), (words.visible(arm.label), *counts, *bounds)))
    arms = []
    for arm in results.arms:
        checkpoint = arm.checkpoint
        row_of_arm = (
            arm.label,
            arm.name,
            arm.weights or words.NONE,
            checkpoint.method if checkpoint else arm.intervention or words.NONE,
            ", ".join(arm.trained) or words.NONE,
            checkpoint.data_sha256[:16] if checkpoint else words.NONE,
        )
        arms.append(tuple(map(words.visible, row_of_arm)))
    return {
        "heads": table.heads(results),
        "table": _by_bias(main_rows),
        "footnotes": table.footnotes(results),
        "left_heads": LEFT_HEADS,
        "left": _by_bias(exclusion_rows),
        "about": [(words.visible(key), words.visible(value)) for key, value in about(results)],
        "arm_heads": ARM_HEADS,
        "arm_rows": arms,
        "cost_heads": costs.HEADS,
        "cost_rows": costs.as_text(results),
    }


def _forecasts(results: Results) -> dict[str, Any]:
    """Forecasts of the numbers and their results, for the templates; empty if nothing was forecast."""
    if results.notes.expected is None:
        return {"expected": ()}
    from unsway.reporting import forecasts

    rows = forecasts.score_rows(results.notes.expected)
    return {
        "expected": forecasts.forecast_strips(results.notes.expected),
        "expected_heads": tuple(rows[0]) if rows else (),
        "expected_width": forecasts.STRIP_WIDTH,
        "expected_notes": forecasts.history_sentences(results.notes.expected),
    }


def _by_bias(lines: Iterable[tuple[str, Any]]) -> list[tuple[str, list[Any]]]:
    """Lines grouped by their first field, which is the bias."""
    return [(bias, [line for _, line in group]) for bias, group in groupby(lines, key=lambda line: line[0])]


def about(results: Results) -> list[tuple[str, str]]:
    """The study's own notes, then the versions recorded in its rows."""

    def join_unique(texts: Iterable[str], separator: str = ", ") -> str:
        return separator.join(dict.fromkeys(texts))

    decoding = []
    for settings in dict.fromkeys(settings for arm in results.arms for settings in results.said_by(arm).settings()):
        if settings is None:  # imported without a version
            decoding.append("not known")
            continue
        sampling = (
            "greedy" if settings.temperature == 0 else f"temperature {settings.temperature:g}, top_p {settings.top_p:g}"
        )
        details = [f"effort {settings.effort}"] if settings.effort else []
        details += [f"at most {settings.thinking_budget} of thinking"] if settings.thinking_budget else []
        details += [f"only options behind “{settings.options_after}”"] if settings.options_after else []
        details += [f"letters begun with “{settings.letter_begins}”"] if settings.letter_begins else []
        details += [f"without an answer, “{settings.force_answer}” and an option"] if settings.force_answer else []
        decoding.append(
            ", ".join([sampling, f"at most {settings.max_tokens} tokens", *details, f"seed {settings.seed}"])
        )
    estimates = (est for cell in results.cells for est in cell.estimates)
    ratios = (ratio.estimate for ratio in results.ratios)
    return [
        *results.about.items(),
        ("cues", ", ".join(results.biases)),
        ("trained on", ", ".join(results.trained_biases) or words.NONE),
        ("sources", ", ".join(results.sources)),
        ("elicitation", join_unique(pair.elicit for pair in results.pairs)),
        ("answers read by", join_unique(results.outcomes.distinct("parser"))),
        ("decoding", join_unique(decoding, "; ")),
        ("intervals", join_unique((est.how for est in estimates if est.how), "; ")),
        ("ratio intervals", join_unique((est.how for est in ratios if est.value is not None), "; ") or words.NONE),
    ]


# ---------------------------------------------------------------- scripts


@cache
def _chart_runtime() -> str:
    """Vega, Vega-Lite, Vega-Embed and its expression interpreter (no `eval`), as one script that begins with its licences.

    Building it takes two seconds, so it is cached for the user (if the cache is writable) by the version of vl-convert.
    """
    with requires("report", "The page"):
        from vl_convert import javascript_bundle

    setup = "window.vegaEmbed = vegaEmbed;"
    cache_file = cache_folder() / f"vega-{version('vl-convert-python')}-{content_id(setup)}.js.gz"
    code = ""
    with suppress(OSError, EOFError, ValueError, zlib.error):  # not cached, or damaged
        code = gzip.decompress(cache_file.read_bytes()).decode()
    if not code:
        code = javascript_bundle(setup)
        with suppress(OSError):
            write_bytes(cache_file, gzip.compress(code.encode(), 6, mtime=0))
    return f"/*!\n{asset('runtime-licences.txt')}*/\n{code}".replace("</script", "<\\/script")
