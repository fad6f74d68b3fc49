"""Inspect's logs as our rows: logs of our own task, which contain pairs and replies, and all other logs.

In: a log, `.eval` or `.json`. Out: its pairs and replies, or its samples as rows; metadata supplies what Inspect lacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import ZipFile

from unsway import layout
from unsway.errors import BadInput, number_of
from unsway.importing.words import rename_fields
from unsway.models.endpoints import NEUTRAL
from unsway.models.thoughts import shown_thought
from unsway.sampling.conversation import INSPECTS_NAMES, STOPS, UNKNOWN_LENGTH, settings_of
from unsway.sampling.records import SCORER, of_another_solver
from unsway.store import loads, why
from unsway.types import Pair, Reply, Settings
from unsway.types.address import Address

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import ChatCompletionChoice

MOST_UNPACKED = 256_000_000
"""Bytes to which a compressed log may always unpack."""
MOST_PACKED = 200
"""Largest ratio to which a larger log may unpack. Ours: logs unpack to 5 to 50 times their size, a zip bomb to a thousand."""

WHY_NONE = {
    False: "Run it again: `inspect eval-retry` asks what is missing.",
    True: "Each sample failed or met a limit, or none was written (--no-log-samples).",
}
"""Why a run's log has no reply, or what to do, by whether the run finished."""
FIRST_NAME = re.compile(rb'\s*\{\s*"[a-z_]+"')
"""The beginning of a log. A list of logs, such as `logs.json` of `inspect eval-set`, has headers by file name instead."""


def read_log(file: Path) -> EvalLog | None:
    """The log in a file, with its samples; None if the file is not a log. Raises `BadInput` if it cannot be read."""
    if file.suffix != ".eval":
        with file.open("rb") as stream:
            head = stream.read(4096)
        marks = (b'"version"', b'"status"', b'"eval"', b'"task"')
        if file.suffix != ".json" or not FIRST_NAME.match(head) or not all(mark in head for mark in marks):
            return None
    from inspect_ai.log import read_eval_log

    try:
        if file.suffix == ".eval":
            with ZipFile(file) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > max(MOST_UNPACKED, MOST_PACKED * file.stat().st_size):
                raise ValueError(f"it would unpack to {unpacked:,} bytes, more than {MOST_PACKED} times its size")
        return read_eval_log(str(file))
    except Exception as error:  # a damaged archive can raise anything
        raise BadInput(f"Cannot read the log {file}: {type(error).__name__}: {why(error)}.") from error


class Logs(NamedTuple):
    """The pairs and replies of our own logs (`unsway/bias` or `unsway measure`) among some files, and the other files."""

    pairs: tuple[Pair, ...]
    """The pairs of our own logs."""
    replies: tuple[Reply, ...]
    """The replies of our own logs."""
    n_samples: int
    """The number of samples in our own logs."""
    n_twice: int
    """Samples of our own logs that an earlier one also has, for example after a retried run."""
    n_empty: int
    """Samples of our own logs for which no log has a reply."""
    others: dict[Path, EvalLog | None]
    """All other files in order; logs among them with their content."""
    notes: tuple[str, ...]
    """A line for each log that is from an unfinished run, whose clean replies differ from an earlier log's, or that is left
    out of a folder."""


def logs_in(folder: Path) -> list[Path]:
    """The files below a folder that may be logs, by name: as Inspect names them, in the order of their runs.

    Raises:
        BadInput: It is a study's folder, or has no such file.
    """
    if (folder / layout.ARMS).is_file():
        raise BadInput(f"{folder} is the folder of a study, which is read as it is: `unsway table {folder}`.")
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".eval", ".json") and file.is_file())
    if not files:
        raise BadInput(f"The folder {folder} holds no log of Inspect (.eval or .json). Name files of rows one by one.")
    return files


def read_logs(places: Sequence[Path]) -> Logs:
    """Read the files, as far as they are logs.

    Args:
        places: Files, and folders of logs. From a folder, logs without a reply are left out; so are logs of other tasks
            if there are logs of ours. The notes name each. Files in a folder that are not logs are ignored.

    Raises:
        BadInput: A log cannot be read, has no reply, or is the record of an existing study; or two logs have different
            replies to the same prompt with a cue, or replies with different settings.
    """
    pairs: dict[str, Pair] = {}
    by_key: dict[tuple[str, str, int], Reply | None] = {}
    others: dict[Path, EvalLog | None] = {}
    notes, n_samples = [], 0
    folders = {path: logs_in(path) for path in places if path.is_dir()}
    in_folders = {file for files in folders.values() for file in files}
    for file in (file for path in places for file in folders.get(path, [path])):
        if file.name == layout.REPLIES and (file.parent / layout.ARMS).is_file():
            raise BadInput(f"{file} is part of a study, which is read as it is: `unsway table {file.parent}`.")
        log = read_log(file)
        if log is None:
            others |= {} if file in in_folders else {file: None}
            continue
        contents = read_own_log(file, log)
        n_replies = sum(bool(_answers(sample)) for sample in log.samples or ())
        error_line = (log.error.message if log.error else "").strip().rpartition("\n")[2][-200:]
        description = f"is of a run that did not finish: its status is {log.status!r} ({error_line})".removesuffix(
            " ()"
        )
        description = "is a log" if log.status == "success" else description
        if not n_replies and file in in_folders:
            notes.append(f"Left out: {file} {description}, and it holds no reply.")
            continue
        if not n_replies:
            raise BadInput(f"{file} {description}, and it holds no reply. {WHY_NONE[log.status == 'success']}")
        if log.status != "success":
            n_planned = len(log.eval.dataset.sample_ids or ()) or log.eval.dataset.samples or 0  # with --limit not all
            total = number_of(n_planned * (log.eval.config.epochs or 1), "sample")
            notes.append(f"{file} {description}. It holds {number_of(n_replies, 'reply')} to {total}.")
        if contents is None:
            others[file] = log
            continue
        notes += contents[2]
        n_samples += len(log.samples or ())
        pairs |= {pair.id: pair for pair in contents[0]}
        clean_ids = {pair.clean.id for pair in contents[0]}
        n_left_out = 0
        for key, reply in contents[1].items():
            earlier = by_key.get(key)
            by_key[key] = earlier or reply
            if not reply or not earlier or (reply.text, reply.settings) == (earlier.text, earlier.settings):
                continue
            if reply.settings != earlier.settings or reply.prompt_id not in clean_ids:
                raise BadInput(
                    f"{file} and a log before it hold different replies of {key[0]!r} to the same prompt (epoch "
                    f"{key[2]}). Import each into a folder of its own. One run asks for several biases or replies: "
                    "`-T bias=A,B`, `--epochs N`."
                )
            n_left_out += 1
        if n_left_out:
            notes.append(
                f"{file}: {number_of(n_left_out, 'reply')} without a cue not taken, because a log before it has others; "
                "biases share these prompts, and each counts once."
            )
    for file in [file for file in others if by_key and file in in_folders]:
        notes.append(f"Left out: {file} is a log of another task than unsway/bias. Import it into a folder of its own.")
        del others[file]
    if in_folders and not by_key and not others:
        raise BadInput("\n".join([f"{', '.join(map(str, places))} holds no log of Inspect with a reply.", *notes]))
    replies = tuple(reply for reply in by_key.values() if reply)
    sizes = (n_samples, n_samples - len(by_key), len(by_key) - len(replies))
    return Logs(tuple(pairs.values()), replies, *sizes, others, tuple(notes))


def read_own_log(
    file: Path, log: EvalLog
) -> tuple[list[Pair], dict[tuple[str, str, int], Reply | None], list[str]] | None:
    """The pairs of a log of `unsway/bias` or `unsway measure`, and its replies by model, sample id and epoch.

    Returns:
        Pairs, replies (None for a sample without one), and lines on what they do not show; None for any other log.

    Raises:
        BadInput: It is the record of an existing study.
    """
    samples = log.samples or []
    metadata = [sample.metadata or {} for sample in samples]
    study = file.resolve().parent.parent
    is_measured = (log.eval.metadata or {}).get("asked_by") == "unsway"
    if is_measured and (study / layout.REPLIES).exists():
        raise BadInput(
            f"{file} is the record of what `unsway measure` asked. Its replies are in the study's folder, with their pairs: "
            f"`unsway table {study}`."
        )
    if not any("pair" in entry for entry in metadata):
        return None
    try:
        pair_of = {entry["pair"]: loads(Pair, entry["pair"]) for entry in metadata if "pair" in entry}
        replies: dict[tuple[str, str, int], Reply | None] = {}
        for sample, entry in zip(samples, metadata, strict=True):
            score = (sample.scores or {}).get(SCORER)  # may have been edited: what the solver kept goes before it
            row = sample.store.get("reply") or ((score and score.metadata) or {}).get("reply")
            reply = loads(Reply, row) if row and not sample.invalidation else None
            if reply is None and not is_measured and _answers(sample) and "pair" in entry:
                address = Address(str(sample.id), log.eval.model, "", UNKNOWN_LENGTH, sample.epoch - 1)
                reply = of_another_solver(pair_of[entry["pair"]], address, sample.output, sample.events)
            replies[log.eval.model, str(sample.id), sample.epoch] = reply
    except (ValueError, TypeError) as error:
        raise BadInput(
            f"{file} holds a pair or a reply that was damaged ({why(error)}). Restore it from a copy."
        ) from None
    pairs = {
        entry["pair"]: pair_of[entry["pair"]] for entry in metadata if "pair" in entry and entry.get("arm") != "clean"
    }
    n_invalid = sum(sample.invalidation is not None for sample in samples)
    invalid = f"{file}: {number_of(n_invalid, 'sample')} marked as invalid: missing here, but counted in its header."
    notes = [invalid] if n_invalid else []
    if not is_measured:  # run by `inspect eval`: settings are in the log's header
        solvers = ", ".join(step.solver for step in log.plan.steps)
        is_other = "model_turns" not in solvers  # which may decode otherwise than the header says
        configs = (log.eval.model_generate_config, log.plan.config)  # the task's and flags win over the model's
        settings, is_known = settings_of(*configs)
        from_header: dict[str, Any] = {"model": log.eval.model, "settings": settings, "settings_known": is_known}
        for key, reply in replies.items():
            changes = {"model": log.eval.model} if is_other and reply and reply.settings_known else from_header
            replies[key] = replace(reply, **changes) if reply else None
        decoding_names = {INSPECTS_NAMES.get(field.name, field.name) for field in fields(Settings)}
        names = {name for config in configs for name in config.model_dump(exclude_none=True)} - NEUTRAL - decoding_names
        peculiarities = [f"by another solver ({solvers})"] if is_other else []
        peculiarities += [f"with {', '.join(sorted(names))}"] if names else []
        clause = "which neither its prompts nor its settings show"
        notes += [f"{file} was asked {' and '.join(peculiarities)}, {clause}."] if peculiarities else []
    return list(pairs.values()), replies, notes


def _answers(sample: EvalSample) -> Sequence[ChatCompletionChoice]:
    """The answers of a sample; none if it failed, met a limit (which may cut it anywhere) or was marked as invalid."""
    return () if sample.error or sample.limit or sample.invalidation else sample.output.choices


def rows_of_log(log: EvalLog) -> Iterator[tuple[int, dict[str, Any]]]:
    """The samples of any log as rows, numbered from 1.

    Metadata takes precedence over Inspect's own fields: a sample's id is its question, its target the right option.
    If a prompt was answered several times at once (`num_choices`), each answer is a row.
    """
    header = rename_fields({**(log.eval.metadata or {}), **log.eval.task_args})
    asked_on = log.eval.created[:10]
    n_choices = max((len(sample.output.choices) for sample in log.samples or ()), default=1)
    for number, sample in enumerate(log.samples or (), 1):
        messages = (
            [sample.input] if isinstance(sample.input, str) else [m.text for m in sample.input if m.role != "assistant"]
        )
        row: dict[str, Any] = {name: header[name] for name in ("bias", "source", "elicit", "target") if name in header}
        row |= {"question_id": sample.id, "model": log.eval.model, "sample": sample.epoch - 1, "asked_on": asked_on}
        row |= {"prompt": "\n\n".join(messages), "reply": None}
        if sample.choices:
            row["options"] = list(sample.choices)
        if isinstance(sample.target, str) or len(sample.target) == 1:
            row["gold"] = sample.target if isinstance(sample.target, str) else sample.target[0]
        row |= {name: value for name, value in rename_fields(sample.metadata or {}).items() if name != "reply"}
        choices = _answers(sample)
        for index, choice in enumerate(choices):
            # for the first, an agent's submission takes precedence over its model's text
            text = choice.message.text if index else sample.output.completion
            output = sample.output.model_copy(update={"choices": [choice], "completion": text})
            stop = STOPS.get(choice.stop_reason, "unknown")
            thought = shown_thought(output, log.eval.model, stop)
            usage = output.usage
            fields: dict[str, Any] = {"reply": output.completion, "stop": stop, "reported_model": output.model}
            fields |= {"reasoning": thought.text, "thought_kind": thought.kind}
            fields["reasoning_tokens"] = usage.reasoning_tokens if usage else None
            if n_choices > 1:
                fields["sample"] = (sample.epoch - 1) * n_choices + index
            yield number, row | fields
        if not choices:
            yield number, row
