"""Import verdicts from elsewhere, and export them to Inspect and Inspect Scout, as `unsway verdicts` does.

In: the folder of a study, files. Out: `ExchangedVerdicts`: what was read and written.

    exchange_verdicts("runs/mine", imported="theirs.jsonl", scout="transcripts").table
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unsway.errors import number_of
from unsway.evals.verdicts import export_scores
from unsway.studies.folder import kept_verdicts, results
from unsway.studies.import_verdicts import ImportedVerdicts, import_verdicts
from unsway.studies.transcript_table import export_transcripts


@dataclass(frozen=True, slots=True)
class ExchangedVerdicts:
    """What was imported and exported."""

    imported: ImportedVerdicts | None = None
    """What was imported; None if no import was requested."""
    logs: tuple[Path, ...] | None = None
    """Inspect logs with the verdicts as scores; None if not requested."""
    table: Path | None = None
    """The table of transcripts; None if not requested."""

    def lines(self) -> list[str]:
        """What was done, one line each, with the command that shows it."""
        sentences = []
        if (new := self.imported) is not None:
            missing = ", ".join(f"{n} {why}" for why, n in new.missing.items()) or "none without a value"
            sentences.append(
                f"{number_of(new.n, 'verdict')} by {', '.join(new.judges)} ({missing}; "
                f"{number_of(new.n_unfounded, 'quote')} not found)"
            )
        if self.logs is not None:
            sentences.append(
                f"{number_of(len(self.logs), 'log')} with scores: inspect view --log-dir {self.logs[0].parent}"
            )
        if self.table is not None:
            sentences.append(f"{self.table}: scout view {self.table.parent}")
        return sentences

    def body(self) -> dict[str, Any]:
        """What was done as JSON; parts that were not requested are left out."""
        body = {
            "imported": self.imported and self.imported._asdict(),
            "logs": self.logs and [str(path) for path in self.logs],
            "transcripts": self.table and str(self.table),
        }
        return {name: value for name, value in body.items() if value is not None}


def exchange_verdicts(
    folder: str | Path,
    *,
    imported: str | Path | None = None,
    inspect: str | Path | None = None,
    scout: str | Path | None = None,
) -> ExchangedVerdicts:
    """Import verdicts into a study's folder, then export all that it has. Steps given as None are skipped.

    Args:
        folder: The folder of the study.
        imported: A file of verdicts that were made elsewhere; see `unsway.studies.import_verdicts`.
        inspect: Where to write the folder's logs with the verdicts as scores.
        scout: Where to write replies and verdicts as a table of transcripts.

    Raises:
        BadInput: As `import_verdicts`, `export_scores` and `export_transcripts`.
    """
    new = None if imported is None else import_verdicts(imported, folder)
    logs = None if inspect is None else export_scores(folder, inspect)
    verdicts = () if scout is None else kept_verdicts(Path(folder))
    table = None if scout is None else export_transcripts(results(folder), verdicts, scout)
    return ExchangedVerdicts(new, logs, table)
