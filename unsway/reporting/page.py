"""One self-contained page: headline, charts, table, transcripts, and what one needs to run it again.

In: `Results`. Out: one HTML file that opens from disk and asks the network for nothing. Model output is hostile: Jinja2
escapes every text, data is JSON that cannot leave its element or is compressed, scripts put text and never markup, and a
content security policy allows the scripts and styles of this file by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from unsway import layout, store
from unsway.reporting import charts, costs, table, transcripts, words
from unsway.reporting.markup import as_json, asset, environment, json_pieces, policy, trusted
from unsway.studies.results import Arm, Results
from unsway.types import Settings

SCRIPTS = ("dom.js", "charts.js", "list.js", "pair.js", "viewer.js", "page.js")
"""One module, in this order."""
LEFT_HEADS = ("bias", "arm", "pairs", "counted", "left out (without / with the cue)", "all followed", "none followed")
ARM_HEADS = ("arm", "model", "weights", "method", "trained on", "examples (sha256)")


def write_page(results: Results, path: str | Path) -> Path:
    """Write the page, whole or not at all.

    Args:
        results: The study.
        path: Where to; a folder gets a `report.html`.
    """
    target = Path(path)
    return store.write_text(target / layout.PAGE if target.is_dir() else target, html(results))


def html(results: Results) -> str:
    """The page as text. Equal results give equal text."""
    figures = charts.figures(results)
    css, script, runtime = asset("page.css"), _script(), _runtime()
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            title=words.visible(results.title),
            headline=words.headline(results),
            comparisons=words.comparisons(results),
            csp=policy((css,), (runtime, script)),
            css=trusted(css),
            runtime=trusted(runtime),
            script=trusted(script),
            figures=figures,
            specs={figure.id: trusted(as_json(figure.spec)) for figure in figures},
            no_ratio=_no_ratio(results, figures),
            chart_heads=charts.HEADS,
            data=_packed(results),
            **_tables(results),
        )
    )


def fragment(results: Results) -> str:
    """Headline and table as a piece of HTML for a notebook: no script, no style sheet."""
    return environment().get_template("fragment.html.j2").render(headline=words.headline(results), **_tables(results))


def _no_ratio(results: Results, figures: Sequence[charts.Figure]) -> str:
    """Why there is no chart of ratios, where there could have been one."""
    if not results.ratios or any(figure.id == "ratio" for figure in figures):
        return ""
    return f"No ratio to the base can be given: {words.refusals(one.estimate for one in results.ratios)}."


# ---------------------------------------------------------------- text of the tables


def _tables(results: Results) -> dict[str, Any]:
    return {
        "heads": table.HEADS,
        "table": _by_bias(_lines(results)),
        "footnotes": table.footnotes(results),
        "left_heads": LEFT_HEADS,
        "left": _by_bias(_left(results)),
        "about": [(words.visible(key), words.visible(value)) for key, value in _about(results)],
        "arm_heads": ARM_HEADS,
        "arm_rows": [_arm(arm) for arm in results.arms],
        "cost_heads": costs.HEADS,
        "cost_rows": costs.as_text(results),
    }


def _by_bias(lines: Iterator[tuple[str, Any]]) -> list[tuple[str, list[Any]]]:
    """Lines grouped by their first field, which is the bias."""
    return [(bias, [line for _, line in group]) for bias, group in groupby(lines, key=lambda line: line[0])]


def _lines(results: Results) -> Iterator[tuple[str, dict[str, Any]]]:
    for row, (bias, *texts) in zip(table.rows(results), table.cells_as_text(results), strict=True):
        texts[table.HEADS.index("excluded") - 1] = str(row["n_excluded"])
        yield bias, {"texts": texts, "bias": words.visible(str(row["bias"])), "arm": words.visible(str(row["arm"]))}


def _left(results: Results) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every cell's denominators, and BRR at both ends of what the missing replies could have been."""
    for bias in results.biases:
        for arm in results.arms:
            cell = results.cell(arm, bias)
            if cell is not None:
                bounds = (words.points(cell["brr_missing_hit"]), words.points(cell["brr_missing_miss"]))
                counts = (str(cell.n_pairs), str(cell["brr"].n), table.reasons(cell))
                yield words.human(bias), (words.visible(arm.label), *counts, *bounds)


def _about(results: Results) -> Iterator[tuple[str, str]]:
    """What the study says of itself, then the versions that its rows carry."""
    yield from results.about.items()
    yield "cues", ", ".join(results.biases)
    yield "trained on", ", ".join(results.trained_biases) or words.NONE
    yield "sources", ", ".join(results.sources)
    yield "elicitation", ", ".join(dict.fromkeys(pair.elicit for pair in results.pairs))
    yield "answers read by", ", ".join(dict.fromkeys(outcome.parser for outcome in results.outcomes))
    yield "decoding", "; ".join(dict.fromkeys(_decoding(reply.settings) for reply in results.replies))
    yield "intervals", "; ".join(dict.fromkeys(est.how for cell in results.cells for est in cell.estimates if est.how))
    given = (one.estimate for one in results.ratios if one.estimate.value is not None)
    yield "ratio intervals", "; ".join(dict.fromkeys(est.how for est in given)) or words.NONE


def _decoding(settings: Settings) -> str:
    how = "greedy" if settings.temperature == 0 else f"temperature {settings.temperature:g}, top_p {settings.top_p:g}"
    return f"{how}, at most {settings.max_tokens} tokens, seed {settings.seed}"


def _arm(arm: Arm) -> tuple[str, ...]:
    made = arm.checkpoint
    how = made.method if made else arm.intervention or words.NONE
    trained, examples = ", ".join(arm.trained) or words.NONE, made.data_sha256[:16] if made else words.NONE
    texts = (arm.label, arm.model, arm.weights or words.NONE, how, trained, examples)
    return tuple(words.visible(text) for text in texts)


# ---------------------------------------------------------------- data


def _packed(results: Results) -> str:
    """Rows and transcripts as JSON, compressed, in base64: no text of a model can end the element that holds it."""
    body = {
        "rows": table.rows(results),
        "by_source": table.rows_by_source(results),
        "transcripts": transcripts.pack(results),
    }
    packed = BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=0) as file:
        for piece in json_pieces(body):
            file.write(piece.encode("ascii"))
    return base64.b64encode(packed.getbuffer()).decode("ascii")


# ---------------------------------------------------------------- parts of the page


def _script() -> str:
    return "\n".join(asset(name) for name in SCRIPTS)


@cache
def _runtime() -> str:
    """Vega, Vega-Lite, Vega-Embed and its expression interpreter (no `eval`), as one script with its licences on top."""
    from vl_convert import javascript_bundle

    code = f"/*!\n{asset('runtime-licences.txt')}*/\n{javascript_bundle('window.vegaEmbed = vegaEmbed;')}"
    return code.replace("</script", "<\\/script")
