"""What a person reads: the table, one self-contained page, charts and slides.

In: `Results`, or the folder of a study. Out: text, or files. Altair, Jinja2 and rich are imported where they are used.

    report("runs/mine", "report.html")     # the page; .pptx writes slides, .md .tex .json the table
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from unsway import layout
from unsway.errors import BadInput, path_of

if TYPE_CHECKING:
    from unsway.studies.results import Results

FORMATS = (".html", ".pptx", ".md", ".tex", ".json")
"""What `report` writes: the page, slides, and the table in three formats."""


def report(results: Results | str | Path, path: str | Path) -> Path:
    """Write a study in the format of the path's suffix, and return the path.

    Args:
        results: The study, or the folder that holds it.
        path: Where to write: .html is the self-contained page, .pptx the slides (with an HTML deck next to them,
            .deck.html), .md, .tex and .json are the table. A folder gets a `report.html`.

    Raises:
        BadInput: The suffix is not one of these, or the folder holds no study.
    """
    import json

    from unsway.disk import write_text
    from unsway.reporting import page, table
    from unsway.reporting.deck import write_slides
    from unsway.studies.results import Results

    target = path_of(path, "the path of a file or a folder is expected: report(results, path)")
    target = target / layout.PAGE if target.is_dir() else target
    if target.suffix not in FORMATS:
        raise BadInput(f"{target.name!r} ends in {target.suffix!r}; a report can be {', '.join(FORMATS)}.")
    study = results if isinstance(results, Results) else results_in(results)
    if target.suffix == ".html":
        return page.write_page(study, target)
    if target.suffix == ".pptx":
        return write_slides(study, target).powerpoint
    if target.suffix == ".json":
        return write_text(target, json.dumps(table.rows(study), indent=2) + "\n")
    text = table.to_markdown(study) if target.suffix == ".md" else table.to_latex(study)
    return write_text(target, text)


def results_in(
    folder: str | Path, *, title: str = "", trained_biases: tuple[str, ...] = (), level: float = 0.95
) -> Results:
    """Read the results in a folder, with a description of the study that was run there.

    Args:
        folder: The folder of `unsway measure`, `unsway import` or `unsway run`.
        title: Title of the report; empty takes the folder's name.
        trained_biases: Biases that were trained on; empty takes those noted in the folder.
        level: Coverage of the intervals.

    Raises:
        BadInput: The folder holds no measurement.
    """
    from unsway.studies.folder import results, study_folder
    from unsway.studies.running import describe_study, load_if_installed

    study = load_if_installed(study_folder(folder))
    about = None if study is None else describe_study(study)
    study_results = results(folder, title=title, trained_biases=trained_biases, about=about, level=level)
    project = Path(folder).resolve().parent
    if not (project / layout.NOTEBOOK).exists():
        return study_results
    from unsway.reporting.week import decision_parts

    return replace(study_results, notes=replace(study_results.notes, decisions=decision_parts(project)))
