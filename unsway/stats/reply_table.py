"""A report's facts about all replies, as columns: their arms, prompts, lengths and tokens, but not their texts.

In: replies. Out: arrays of shape (replies,), in a fiftieth of the memory of a long reply, and the offset of each reply's row
in its file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from unsway.stats.outcome_table import Numbered
from unsway.stats.outcomes import AskedArm, ReplyIndex, Run
from unsway.store import reply_at
from unsway.types import ArmKey, Prompt, Reply, Settings, Thought

MARKS = (
    "<|im_start|>",
    "<|im_end|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|endoftext|>",
    "<|user|>",
    "<|assistant|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[INST]",
    "[/INST]",
)
"""Marks between turns in the chat templates of ChatML, Llama, Phi, Gemma and Mistral; no reply should contain one."""
THOUGHTS: tuple[Thought, ...] = get_args(Thought)
KINDS = {
    "start": np.int64,
    "prompt": np.int32,
    "run": np.int32,
    "tokens_in": np.int32,
    "tokens_out": np.int32,
    "estimated": np.bool_,
    "decoded": np.bool_,
    "thinking": np.int32,
    "thought": np.int8,
    "length": np.int32,
    "words": np.int64,
    "marked": np.bool_,
    "forced": np.bool_,
}
"""The columns: the row's offset in bytes; the prompt and the run; tokens (prompt tokens are 0 if unknown), and whether
they are estimated; whether the settings are known; tokens of thinking, -1 if not counted; the index in `THOUGHTS`; the
length of the text in characters, a hash of it, whether it contains one of `MARKS`, and whether its answer was forced."""


class ReplyTable:
    """Replies as columns, in order of arrival; `columns` has the columns in `KINDS`."""

    def __init__(self, prompts: Sequence[str], runs: Sequence[Run], columns: Mapping[str, NDArray[Any]]) -> None:
        """`prompts` and `runs` are the values that the columns `prompt` and `run` index."""
        self.prompts, self.runs, self.columns = prompts, runs, columns

    @classmethod
    def of(cls, replies: Iterable[tuple[int, Reply]], before: ReplyTable | None = None) -> ReplyTable:
        """The columns of replies, each given with its row's offset; appended to an earlier table, if given."""
        prompts = Numbered[str]((value, number) for number, value in enumerate(before.prompts if before else ()))
        runs = Numbered[Run]((value, number) for number, value in enumerate(before.runs if before else ()))
        rows = np.fromiter((_row(start, reply, prompts, runs) for start, reply in replies), [*KINDS.items()])
        columns = {name: np.ascontiguousarray(rows[name]) for name in KINDS}
        if before is not None:
            columns = {name: np.concatenate([before.columns[name], column]) for name, column in columns.items()}
        return cls(tuple(prompts), tuple(runs), columns).each_address_once()

    @classmethod
    def at(cls, index: ReplyIndex) -> ReplyTable:
        """The replies of an index, which caches the table."""
        if index.table is None:
            index.table = cls.of((0, reply) for reply in index.replies)
        table: ReplyTable = index.table
        return table

    def each_address_once(self) -> ReplyTable:
        """The table without later replies to the same prompt in the same run: the first one counts."""
        address = self.columns["prompt"] * np.int64(len(self.runs)) + self.columns["run"]
        _, first = np.unique(address, return_index=True)
        return self if len(first) == len(self) else self.where(np.sort(first))

    def __len__(self) -> int:
        """The number of replies."""
        return len(self.columns["start"])

    def where(self, rows: NDArray[Any]) -> ReplyTable:
        """Some of the replies: by a mask of shape (replies,), or by their indices."""
        return ReplyTable(self.prompts, self.runs, {name: column[rows] for name, column in self.columns.items()})

    def of_runs(self, numbers: Iterable[int]) -> ReplyTable:
        """The replies of some runs."""
        return self.where(np.isin(self.columns["run"], np.fromiter(numbers, np.int64)))

    def to(self, prompt_ids: Iterable[str]) -> ReplyTable:
        """The replies to some prompts."""
        ids = set(prompt_ids)
        return self.where(np.array([prompt in ids for prompt in self.prompts], bool)[self.columns["prompt"]])

    def settings(self) -> tuple[Settings | None, ...]:
        """The distinct settings of the replies; None for replies with unknown settings."""
        known_runs, unknown_runs = (
            self.columns["run"][self.columns["decoded"] == is_known] for is_known in (True, False)
        )
        distinct = dict.fromkeys(self.runs[number].settings for number in dict.fromkeys(known_runs.tolist()))
        return (*distinct, *([None] if len(unknown_runs) else []))

    def by_prompt(self) -> dict[str, int]:
        """The number of replies to each prompt."""
        counts = np.bincount(self.columns["prompt"], minlength=len(self.prompts)).tolist()
        return {prompt: n for prompt, n in zip(self.prompts, counts, strict=True) if n}

    def total(self, name: str) -> int:
        """The sum of a column: tokens, characters, or the number of replies for which a flag is set."""
        return int(self.columns[name].sum(dtype=np.int64))

    def n_unknown_tokens(self) -> int:
        """The number of replies with neither reported nor estimated tokens, whose cost is unknown."""
        return int((self.columns["tokens_in"] == 0).sum())

    def thoughts(self) -> Counter[Thought]:
        """The number of replies with each kind of thought."""
        return Counter({THOUGHTS[i]: int(n) for i, n in enumerate(np.bincount(self.columns["thought"])) if n})

    def thinking(self) -> NDArray[Any]:
        """Tokens of thinking, for the replies whose provider counts them."""
        tokens = self.columns["thinking"]
        return tokens[tokens >= 0]

    def repeated(self) -> Iterator[tuple[bool, bool, int]]:
        """For each prompt with several replies: if they were sampled, if all are equal, and the least length.

        Greedy and sampled replies are taken separately, and replies with unknown settings are left out. The length is
        in characters.
        """
        columns = self.where(self.columns["decoded"]).columns
        is_sampled = np.array([run.settings.temperature > 0 for run in self.runs], bool)[columns["run"]]
        group = columns["prompt"] * np.int64(2) + is_sampled
        order = np.lexsort((columns["words"], group))
        group, text_hash, length = group[order], columns["words"][order], columns["length"][order]
        groups, starts, counts = np.unique(group, return_index=True, return_counts=True)
        for group_key, start, n in zip(groups, starts, counts, strict=True):
            if n > 1:
                end = start + n
                yield bool(group_key % 2), bool(text_hash[start] == text_hash[end - 1]), int(length[start:end].min())


# ---------------------------------------------------------------- replies that stay in their file


class RepliesInFile(Mapping[str, Mapping[int, Reply]]):
    """The replies of each prompt by run number, read from the file on demand; the keys are prompt ids."""

    RECENT = 512
    """Prompts whose replies stay in memory: a page's clean ones, which each of its biases shows again."""

    def __init__(self, path: Path, table: ReplyTable) -> None:
        self._path, self._table = path, table
        prompt = table.columns["prompt"]
        self._order, self._ends = np.argsort(prompt, kind="stable"), np.cumsum(np.bincount(prompt))
        numbers = np.unique(prompt).tolist()
        self._numbers = {table.prompts[number]: number for number in numbers}
        self._recent: dict[str, dict[int, Reply]] = {}

    def __len__(self) -> int:
        """The number of prompts."""
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        """The ids of the prompts."""
        return iter(self._numbers)

    def __getitem__(self, prompt_id: str) -> Mapping[int, Reply]:
        """The replies to a prompt, by run number. Raises `KeyError` if there are none."""
        if prompt_id not in self._recent:
            number = self._numbers[prompt_id]
            rows = self._order[self._ends[number - 1] if number else 0 : self._ends[number]]
            starts, runs = (self._table.columns[name][rows].tolist() for name in ("start", "run"))
            with self._path.open("rb") as file:
                replies = {run: reply_at(file, start) for start, run in zip(starts, runs, strict=True)}
            if len(self._recent) == self.RECENT:
                del self._recent[next(iter(self._recent))]
            self._recent[prompt_id] = replies
        return self._recent[prompt_id]


class IndexOfFile(ReplyIndex):
    """Replies by arm, prompt and sample, read from their file on demand."""

    def __init__(self, path: Path, table: ReplyTable, arms: Iterable[AskedArm]) -> None:
        """`path` is the file of the table; `arms` are the arms whose replies count."""
        own_arms = tuple(arms)
        own = table.of_runs(n for n, run in enumerate(table.runs) if any(arm.gave(run) for arm in own_arms))
        self._join(RepliesInFile(path, own), own.runs, own_arms)
        self.table = own


def arm_replies(index: ReplyIndex, key: ArmKey, prompts: Iterable[Prompt]) -> ReplyTable:
    """The replies of an arm to some prompts, or to those asked instead, as columns."""
    arm = index.arm(key)
    table = ReplyTable.at(index)
    own = table.of_runs(number for number, run in enumerate(table.runs) if arm.gave(run))
    return own.to(arm.asked_id(prompt) for prompt in prompts)


# ---------------------------------------------------------------- building a table


def _row(start: int, reply: Reply, prompts: Numbered[str], runs: Numbered[Run]) -> tuple[Any, ...]:
    """One reply's values, in the order of `KINDS`."""
    text_hash = blake2b(reply.text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (
        start,
        prompts(reply.prompt_id),
        runs(Run(reply.model, reply.weights, reply.sample, reply.settings)),
        reply.tokens_in,
        reply.tokens_out,
        reply.tokens_estimated,
        reply.settings_known,
        -1 if reply.reasoning_tokens is None else reply.reasoning_tokens,
        THOUGHTS.index(reply.thought),
        len(reply.text),
        int.from_bytes(text_hash, "little", signed=True),
        any(mark in reply.text for mark in MARKS),
        reply.stop == "forced",
    )
