"""Push adapters, training rows, results and pages to the Hugging Face hub, each with a card, and pull them back.

In: a folder or a page, and the name of a repository. Out: an address, or a folder with the pulled files. Needs the extra
`hub` and, to push, a token (`HF_TOKEN`, or `hf auth login`). `HF_ENDPOINT` names another hub.

    push("runs/bct/model", "me/smollm2-bct", study="runs/mine")
    push("runs/mine/report.html", "me/cues")
    pull("me/smollm2-bct", "runs/theirs")
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from unsway import layout
from unsway.data.mixture import EXAMPLES
from unsway.disk import write_text
from unsway.effects.results import find_panel
from unsway.errors import BadInput, ModelError, UnswayError
from unsway.extras import requires
from unsway.models.adapters import ADAPTER_FILE
from unsway.models.weights import CHECKPOINT_FILE, read_checkpoint
from unsway.registry import Ref
from unsway.reporting import results_in
from unsway.reporting.effects import flat_rows
from unsway.reporting.formats import format_rows
from unsway.reporting.table import to_markdown
from unsway.reporting.words import human
from unsway.store import dumps, loads
from unsway.training.card import CARD, card
from unsway.types import Checkpoint

if TYPE_CHECKING:
    from huggingface_hub import HfApi

    from unsway.studies.results import Results

_log = logging.getLogger(__name__)
PLAIN = ["*.safetensors", "*.json", "*.jsonl", "*.md", "*.txt", "*.jinja", "tokenizer.model", "*.html"]
"""The files that are pushed and pulled: none of them can run code when it is opened."""
PAGE = b'<meta name="generator" content="unsway">'
"""A tag in the head of every unsway page."""
HEAD = 4096
"""The tag is within this many bytes of a page's start."""
PREFIXES = {"model": "", "dataset": "datasets/", "space": "spaces/"}
"""Prefix of a repository's name in addresses, by kind."""
LEFT_OUT = [".*", "*/.*", f"{layout.LOGS}/*", f"{layout.RUNNING}/*", f"{layout.TRAINED}/*", layout.WHERE]
"""Not pushed: locks, Inspect's logs, records of the machines, and checkpoints, which get their own repositories."""
LONGEST_PATH = 4096
"""A text longer than this many characters is not considered a path."""


class Pushed(NamedTuple):
    """What kind of repository a folder becomes, and its card."""

    repo_type: Literal["model", "dataset", "space"]
    """The kind of repository."""
    card: str
    """Its README.md."""
    instead: Mapping[str, str] = MappingProxyType({})
    """Content of files that are changed for pushing, because they name folders of this machine."""


def push(folder: str | Path, repo: str, *, study: str | Path | None = None, public: bool = False) -> str:
    """Put a checkpoint, a folder of training rows, a study or a page into a repository of the hub; returns its address.

    Args:
        folder: A checkpoint, a folder with `examples.jsonl`, the folder of a study, or a page (`report.html`, slides), which
            becomes a static Space that shows it.
        repo: `OWNER/NAME`; created if it does not exist.
        study: For a checkpoint: the folder of a study that measured it, whose tables go into its card.
        public: Whether a new repository is public.

    Raises:
        BadInput: The folder is none of these, or the file is not an unsway page.
        ModelError: The hub refused, or did not answer.
        MissingExtra: huggingface_hub is not installed.
    """
    path = Path(folder)
    upload = _prepare(path, repo, study)
    with requires("hub", "Pushing to the hub"):
        from huggingface_hub import HfApi
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    with ExitStack() as stack:
        if upload.repo_type == "space":
            page, path = path, Path(stack.enter_context(TemporaryDirectory()))
            shutil.copy(page, path / "index.html")
        write_text(path / CARD, upload.card)
        stack.enter_context(hub_refusals(repo))
        sdk = "static" if upload.repo_type == "space" else None
        api.create_repo(repo, repo_type=upload.repo_type, private=not public, exist_ok=True, space_sdk=sdk)
        for name, text in upload.instead.items():
            api.upload_file(
                repo_id=repo,
                path_or_fileobj=text.encode(),
                path_in_repo=name,
                repo_type=upload.repo_type,
                commit_message="unsway push",
            )
        api.upload_folder(
            repo_id=repo,
            folder_path=path,
            repo_type=upload.repo_type,
            allow_patterns=PLAIN,
            ignore_patterns=[*LEFT_OUT, *upload.instead],
            commit_message="unsway push",
        )
    return f"{api.endpoint}/{PREFIXES[upload.repo_type]}{repo}"


def pull(repo: str, folder: str | Path, *, revision: str = "main") -> Path:
    """Pull a checkpoint, training rows or a study from the hub into a folder, without files that could run code.

    Args:
        repo: `OWNER/NAME`; a model of that name is tried first, then a data set.
        folder: Where to store it.
        revision: A branch, a tag or a commit.

    Raises:
        ModelError: There is no such repository, or the hub did not answer.
        BadInput: It has no file that may be pulled.
        MissingExtra: huggingface_hub is not installed.
    """
    with requires("hub", "Pulling from the hub"):
        from huggingface_hub import HfApi
        from huggingface_hub.errors import RepositoryNotFoundError
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    with hub_refusals(repo):
        try:
            return _snapshot(api, repo, "model", folder, revision)
        except RepositoryNotFoundError:
            return _snapshot(api, repo, "dataset", folder, revision)


def _snapshot(api: HfApi, repo: str, kind: str, folder: str | Path, revision: str) -> Path:
    siblings = getattr(api.repo_info(repo, repo_type=kind, revision=revision), "siblings", None) or ()
    paths = [sibling.rfilename for sibling in siblings if any(fnmatch(sibling.rfilename, name) for name in PLAIN)]
    if all(any(fnmatch(path, name) for name in LEFT_OUT) for path in paths):
        raise BadInput(
            f"{repo!r} has nothing to pull: none of its files is one that cannot run code ({', '.join(PLAIN)})."
        )
    snapshot = api.snapshot_download(
        repo, repo_type=kind, local_dir=folder, revision=revision, allow_patterns=PLAIN, ignore_patterns=LEFT_OUT
    )
    return Path(str(snapshot))


@contextmanager
def hub_refusals(repo: str) -> Iterator[None]:
    """Turn errors of the hub's library into one error that says what to do."""
    with requires("hub", "The hub"):
        from huggingface_hub import errors

    try:
        yield
    except UnswayError:
        raise
    except (errors.HfHubHTTPError, ValueError, OSError, RuntimeError, vars(errors)["HTTPError"]) as error:
        # a RuntimeError names the file that was not sent; its cause says why
        reason = " ".join(f"{error} {error.__cause__ or ''}".split())[:300]
        raise ModelError(
            f"The hub did not accept or deliver {repo!r}: {reason}. A repository is OWNER/NAME; pushing and private ones "
            "need a token with write access (HF_TOKEN, or `hf auth login`)."
        ) from error


def _prepare(path: Path, repo: str, study: str | Path | None) -> Pushed:
    """Determine what kind of folder it is, or that it is a page, and make its card."""
    if path.is_file():
        with path.open("rb") as page:
            if PAGE not in page.read(HEAD):
                raise BadInput(
                    f"{str(path)!r} is no page that `unsway report` or `unsway slides` wrote. Write it anew, or name a "
                    "folder."
                )
        name = repo.rpartition("/")[2]
        return Pushed(
            "space", "\n".join(["---", f"title: {json.dumps(name)}", "sdk: static", "tags: [unsway]", "---", ""])
        )
    if (path / CHECKPOINT_FILE).is_file():
        checkpoint = read_checkpoint(path)
        if checkpoint.is_hosted:
            raise BadInput(f"The weights of {str(path)!r} are kept by {checkpoint.backend}; there is nothing to push.")
        if study is None:
            text = card(checkpoint, path, repo=repo)
        else:
            results = results_in(study)
            text = card(checkpoint, path, repo=repo, measured=to_markdown(results), effects=effects_table(study))
            text = with_numbers(text, repo, results, checkpoint)
        return Pushed("model", text, _without_folders(path, checkpoint))
    if (path / EXAMPLES).is_file():
        configs = {"examples": EXAMPLES} | {
            name: f"examples.{name}.jsonl"
            for name in ("pairs", "provenance")
            if (path / f"examples.{name}.jsonl").exists()
        }
        about = (
            "Training rows that `unsway data build` made of a model's own replies. TRL reads `examples` as it stands."
        )
        return Pushed("dataset", _dataset_card(repo, about, configs))
    if (path / layout.REPLIES).is_file():
        files = (layout.OUTCOMES, layout.REPLIES, layout.PAIRS, layout.QUESTIONS, layout.VERDICTS)
        configs = {Path(name).stem: name for name in files if (path / name).is_file()}
        about = f"A study of `unsway measure`: every prompt, reply and outcome.\n\n{to_markdown(results_in(path))}"
        return Pushed("dataset", _dataset_card(repo, about, configs), _study_by_name(path))
    raise BadInput(
        f"{str(path)!r} holds no checkpoint ({CHECKPOINT_FILE}), no training rows ({EXAMPLES}) and no study "
        f"({layout.REPLIES}). Name a folder that `unsway train`, `unsway data build` or `unsway measure` wrote."
    )


def with_numbers(text: str, repo: str, found: Results, checkpoint: Checkpoint) -> str:
    """The card with the checkpoint's BRRs in its header, for each source and bias, in the hub's `model-index` format.

    Fractions, not percent. If no arm of the study is that checkpoint, warns and returns the card unchanged.
    """
    with requires("hub", "Pushing to the hub"):
        from huggingface_hub import EvalResult, ModelCard

    arms = [
        arm for arm in found.arms if arm.checkpoint and not arm.intervention and same_fit(arm.checkpoint, checkpoint)
    ]
    if not arms:
        _log.warning("The study's tables go into the card, but none of its arms is this checkpoint.")
        return text
    results = []
    for cell in found.cells_by_source:
        source, brr = Ref.parse(cell.source), cell.brr
        if cell.arm == arms[0].key and brr.value is not None:
            results.append(
                EvalResult(
                    task_type="multiple-choice",
                    dataset_type=source.unversioned,
                    dataset_name=source.unversioned,
                    dataset_revision=source.version,
                    metric_type="brr",
                    metric_name=f"Biased reasoning rate, {human(cell.bias)}",
                    metric_config=cell.bias,
                    metric_value=brr.value,
                    metric_args={"low": brr.low, "high": brr.high, "level": brr.level, "pairs": brr.n},
                )
            )
    model_card = ModelCard(text)
    model_card.data["model_name"], model_card.data["eval_results"] = repo.rpartition("/")[2], results
    return str(model_card)


def same_fit(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether two records are of the same training, even if its weights were moved."""
    first, second = (
        (checkpoint.method, checkpoint.data_sha256, checkpoint.base.rpartition("@")[2]) for checkpoint in (one, other)
    )
    return first == second


def _without_folders(folder: Path, checkpoint: Checkpoint) -> dict[str, str]:
    """A checkpoint's record and its adapter's config, with folders of this machine reduced to their names."""
    files = {CHECKPOINT_FILE: dumps(_by_name(checkpoint)) + "\n"}
    if (folder / ADAPTER_FILE).is_file():
        config = json.loads((folder / ADAPTER_FILE).read_text(encoding="utf-8"))
        if Path(base := str(config.get("base_model_name_or_path"))).expanduser().exists():
            config["base_model_name_or_path"] = Path(base).name
            files[ADAPTER_FILE] = json.dumps(config, indent=2, sort_keys=True) + "\n"
    return files


def _by_name(checkpoint: Checkpoint) -> Checkpoint:
    """A checkpoint whose folder (and base, if that is a folder) is reduced to its name."""
    base, _, weights = checkpoint.base.rpartition("@")
    name = Path(checkpoint.model).name
    base = Path(base).name if Path(base).expanduser().exists() else base
    return checkpoint if checkpoint.is_hosted else replace(checkpoint, model=name, uri=name, base=f"{base}@{weights}")


def _study_by_name(folder: Path) -> dict[str, str]:
    """The arms of a study and the study itself, with files and folders of this machine reduced to their names."""
    arms_record = json.loads((folder / layout.ARMS).read_text(encoding="utf-8"))
    for arm in (record for record in arms_record["arms"] if record.get("checkpoint")):
        arm["checkpoint"] = asdict(_by_name(loads(Checkpoint, json.dumps(arm["checkpoint"]))))
    files = {layout.ARMS: json.dumps(arms_record, indent=2) + "\n"}
    if (folder / layout.STUDY).is_file():
        study = json.loads((folder / layout.STUDY).read_text(encoding="utf-8"))
        files[layout.STUDY] = json.dumps(without_places(study), indent=2) + "\n"
    return files


def without_places(value: Any) -> Any:
    """A JSON value in which paths on this machine are reduced to their last part."""
    if isinstance(value, dict):
        return {key: without_places(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_places(item) for item in value]
    if isinstance(value, str) and (value.startswith("~") or Path(value).is_absolute()):
        path = Path(value).expanduser()
        return path.name if len(value) < LONGEST_PATH and path.exists() else value
    return value


def effects_table(study: str | Path) -> str:
    """The side effects stored in a study, as Markdown; empty if there are none."""
    panel = find_panel(study)
    return "" if panel is None else format_rows(flat_rows(panel), "md")


def _dataset_card(repo: str, about: str, configs: dict[str, str]) -> str:
    header: Iterable[Any] = [{"config_name": name, "data_files": path} for name, path in configs.items()]
    lines = [
        "---",
        "tags: [unsway]",
        f"configs: {json.dumps(header)}",
        "---",
        "",
        f"# {repo.rpartition('/')[2]}",
        "",
        about,
    ]
    first_config = next(iter(configs))
    example = f'from datasets import load_dataset\nrows = load_dataset("{repo}", "{first_config}", split="train")'
    return "\n".join([*lines, "", "## Load it", "", "```python", example, "```", ""])
