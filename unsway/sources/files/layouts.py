"""The role of each field of a row: a table of the layouts of multiple-choice sets, and `--columns` for all others.

In: the names of a row's fields. Out: a `Found`: its fields for question, passage, options and answer.

The table covers the sets on the Hugging Face hub, in their authors' repositories, in other harnesses' samples (Inspect,
lm-evaluation-harness, HELM, lighteval, OpenAI's evals) and in tables that spreadsheets export. Names are compared without
case, spaces, underscores and hyphens. In a name, `@` stands for a letter and `#` for a number (columns A, B, … or option1,
option2, …); `a+b` means both together. A set has its own layout, before the general one, only if it writes its answers
differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict

from unsway.errors import BadInput
from unsway.rows import BadField

AnswerAs: TypeAlias = Literal["", "letter", "text", "0-based", "1-based"]
"""How to read an answer; empty if that has to be detected."""
ROLES: Mapping[str, str] = {
    "question": "question",
    "stem": "question",
    "passage": "passage",
    "context": "passage",
    "options": "options",
    "choices": "options",
    "answer": "answer",
    "gold": "answer",
    "id": "id",
}
"""The roles that `--columns` accepts, with the role each one means."""
NONE = "none"
"""Value of `--columns` for a role without a column: no passage, or no answer."""


def plain(name: str) -> str:
    """A name without differences in spelling: case, spaces, underscores, hyphens, number signs."""
    return re.sub(r"[\s_#-]+", "", name).casefold()


class Layout(BaseModel):
    """A set's field names for the parts of a question, each list in the order of lookup."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sets: str
    """The sets that use it."""
    needs: tuple[str, ...] = ()
    """Fields by which it is recognised."""
    question: tuple[str, ...] = (
        *("stem", "question", "questionstem", "questiontext", "query", "problem", "qtext", "exquestion", "prompt"),
        *("instruction+input", "input", "inputs", "sentence", "goal", "startphrase", "sent1+sent2", "inputsentence#"),
        *("instruction", "ctx", "context", "premise", "text"),
    )
    """The question, without passage and options."""
    passage: tuple[str, ...] = (
        *(
            "context",
            "contexts",
            "article",
            "passage",
            "florespassage",
            "paragraph",
            "story",
            "narrative",
            "background",
        ),
        *("support", "premise", "scenario", "vignette", "document", "dialogue", "excerpt", "ctx", "text"),
    )
    """The text to read before the question."""
    options: tuple[str, ...] = (
        *("options", "choices", "option", "endings", "candidates", "alternatives", "answerchoices", "possibleanswers"),
        *("multiplechoicetargets", "mc1targets", "targetscores", "references", "answers"),
        *("@", "option@", "opt@", "op@", "choice@", "answer@", "ending@", "alternative@", "ans@"),
        *("option#", "opt#", "choice#", "ending#", "ans#", "answer#", "sol#", "mcanswer#", "alternative#", "alt#"),
        *("answerchoice#", "answeroption#", "candidate#", "sentencequiz#", "randomfifthsentencequiz#", "#"),
        *("correctanswer+distractor#", "correctanswer+distractors", "correctanswer+incorrectanswer#"),
        *("correctanswer+incorrectanswers", "bestanswer+incorrectanswers", "rightanswer+wronganswer#"),
        *("correctanswer+wronganswer#", "correctanswer+wronganswers", "correctoption+incorrectoption#"),
        *("correct+incorrect#", "correct+wrong#", "correct+distractor#", "answer+distractor#", "answer+distractors"),
        *("answer+wronganswers", "answer+incorrectanswers", "answer+wronganswer#", "answer+incorrectanswer#"),
    )
    """The options: one field, a column for each, or the right one and the wrong ones."""
    answer: tuple[str, ...] = (
        *("gold", "answer", "answerkey", "correctanswer", "correctoption", "correctchoice", "rightanswer", "correct"),
        *("answeridx", "answerindex", "goldindex", "goldidx", "correctanswernum", "correctanswerindex", "correctindex"),
        *("correctletter", "answerletter", "answerrightending", "cop", "ra", "finaldecision", "ideal", "goldlabel"),
        *("correctlabel", "target", "label", "expectedoutput", "expectedanswer", "answers", "multiplechoicescores"),
        *("labels", "output"),
    )
    """The right option."""
    also: tuple[str, ...] = ("answeridx", "answerindex", "answerletter", "correctletter", "answerchoice", "goldindex")
    """Fields that name the right option again and must agree."""
    counts_from: Literal[0, 1] | None = None
    """What its numbers count from; None if the file decides."""
    words: Mapping[str, str] = {}
    """Questions that are codes, and their wording."""


GENERAL = Layout(sets="all others")
"""Every known name. Used by MMLU and its variants, MMLU-Pro, ARC, OpenBookQA, CommonsenseQA, RACE, ReClor, LogiQA, MedQA,
MedMCQA, PubMedQA, BoolQ, SciQ, GPQA, AQuA, MathQA, AGIEval, C-Eval, CMMLU, TruthfulQA, BIG-bench, MuSR, HEAD-QA,
Inspect, HELM."""
LAYOUTS: tuple[Layout, ...] = (
    Layout(sets="WinoGrande", needs=("sentence", "option1", "option2"), counts_from=1),
    Layout(sets="Social IQa", needs=("answera", "answerb", "answerc", "label"), counts_from=1),
    Layout(sets="Belebele", needs=("mcanswer1", "correctanswernum"), counts_from=1),
    Layout(sets="QuALITY", needs=("options", "goldlabel"), answer=("goldlabel",), counts_from=1),
    Layout(sets="StoryCloze", needs=("inputsentence1", "inputsentence4"), counts_from=1),
    Layout(
        sets="COPA, XCOPA",
        needs=("premise", "question", "choice1", "choice2", "label"),
        counts_from=0,
        words={"cause": "What was the cause of this?", "effect": "What happened as a result?"},
    ),
    Layout(sets="PIQA", needs=("goal", "sol1", "sol2"), counts_from=0),
    Layout(sets="HellaSwag", needs=("ctx", "endings"), counts_from=0),
    Layout(sets="SWAG", needs=("startphrase", "ending0"), question=("startphrase",), counts_from=0),
    Layout(sets="MedQA as SWAG", needs=("sent1", "ending0"), question=("sent1+sent2",), counts_from=0),
    Layout(sets="BBQ", needs=("ans0", "ans1", "ans2"), counts_from=0),
    Layout(sets="CosmosQA", needs=("answer0", "answer1"), counts_from=0),
    GENERAL,
)
"""Every layout; a row gets the first whose fields it has."""


class Found(NamedTuple):
    """The fields of a row by role."""

    question: tuple[str, ...] = ()
    """Fields that form the question together."""
    passage: tuple[str, ...] = ()
    """Fields to read before it."""
    options: tuple[str, ...] = ()
    """One field with all options, or a column for each."""
    is_columns: bool = False
    """Whether each option has its own column."""
    answer: tuple[str, ...] = ()
    """The field of the right option, then fields that must agree with it."""
    answer_as: AnswerAs = ""
    """How the answer is read."""
    counts_from: Literal[0, 1] | None = None
    """What numbers count from; None if the file decides."""
    words: Mapping[str, str] = {}
    """Questions that are codes, and their wording."""


def find(names: Iterable[str]) -> Found:
    """The fields of a row with these names; a role that no field has is empty. Raises `BadField`."""
    field_of: dict[str, str] = {}
    for name in names:
        field_of.setdefault(plain(name), name)
    layout = next(layout for layout in LAYOUTS if field_of.keys() >= set(layout.needs))
    for role, synonyms in {
        "stem": ("stem", "question"),
        "options": ("options", "choices"),
        "gold": ("gold", "answer"),
    }.items():
        if field_of.keys() >= set(synonyms):
            raise BadField(role, f"is given twice, as {field_of[synonyms[0]]} and {field_of[synonyms[1]]}")
    options, is_columns, right = _option_fields(layout, field_of)
    starts_at_0 = is_columns and plain(options[0])[-1] == "0"
    answers = tuple(field_of[name] for name in layout.answer if name in field_of and field_of[name] not in options)
    answer = (right,) if right else answers[:1]
    question = _first_fields(layout.question, field_of)
    passage = tuple(
        field_of[name] for name in layout.passage if name in field_of and field_of[name] not in (*question, *options)
    )
    return Found(
        question,
        passage,
        options,
        is_columns,
        answer
        + tuple(
            field_of[name]
            for name in layout.also
            if name in field_of and answer and field_of[name] not in (*answer, *options)
        ),
        "text" if right else "",
        0 if starts_at_0 else layout.counts_from,
        layout.words,
    )


def family(spec: str, field_of: Mapping[str, str]) -> tuple[str, ...]:
    """The fields that a name stands for: one field, or all with a letter for `@` or a number for `#`, in order."""
    if spec[-1] not in "@#":
        return (field_of[spec],) if spec in field_of else ()
    pattern = re.compile(re.escape(spec[:-1]) + ("([a-z]|aa)" if spec[-1] == "@" else r"(\d{1,2})") + r"\Z")
    field_by_label = {match[1]: name for key, name in field_of.items() if (match := pattern.match(key))}
    labels = sorted(field_by_label, key=lambda label: (len(label), label))
    return (
        tuple(field_by_label[label] for label in labels)
        if len(field_by_label) > 1 and labels[0] in ("a", "0", "1")
        else ()
    )


def _first_fields(specs: Sequence[str], field_of: Mapping[str, str]) -> tuple[str, ...]:
    """The fields of the first name that a row has; for `a+b`, the row must have both."""
    for spec in specs:
        parts = [family(part, field_of) for part in spec.split("+")]
        if all(parts):
            return tuple(name for part in parts for name in part)
    return ()


def _option_fields(layout: Layout, field_of: Mapping[str, str]) -> tuple[tuple[str, ...], bool, str]:
    """The options' fields, whether each option has its own column, and the right option's column if it is a separate one."""
    fields = [spec for spec in layout.options if spec[-1] not in "@#" and "+" not in spec and spec in field_of]
    families = [spec for spec in layout.options if "+" not in spec and spec[-1] in "@#" and family(spec, field_of)]
    if families and fields and fields[0] in ("options", "choices"):
        letters = ", ".join(family(families[0], field_of))
        raise BadField("options", f"is given twice, as {field_of[fields[0]]} and as the columns {letters}")
    if fields and not (families and fields[0] == "answers"):
        return (field_of[fields[0]],), False, ""
    if families:
        return family(families[0], field_of), True, ""
    joint_fields = _first_fields([spec for spec in layout.options if "+" in spec], field_of)
    return joint_fields, bool(joint_fields), joint_fields[0] if joint_fields else ""


# ---------------------------------------------------------------- --columns


class NamedColumns(NamedTuple):
    """The content of `--columns`: the columns of each role it names."""

    named: tuple[tuple[str, str], ...] = ()
    """Role and columns, as written."""
    answer_as: AnswerAs = ""
    """How to read the answer."""

    @classmethod
    def parse(cls, text: str) -> NamedColumns:
        """Read `question=Frage,options=A..D,answer=Lösung:1-based`. Raises `BadInput`."""
        pairs = [part.partition("=")[::2] for part in text.split(",") if part.strip()]
        columns_by_role: dict[str, str] = {}
        answer_as: AnswerAs = ""
        for role, columns in pairs:
            main_role = ROLES.get(role.strip().lower(), "")
            columns = columns.strip()
            if not main_role or not columns or main_role in columns_by_role:
                problem = (
                    f"names the {role.strip()} twice"
                    if main_role in columns_by_role
                    else f"has {f'{role}={columns}'.strip('=')!r}"
                )
                raise BadInput(
                    f"--columns {problem}. It is written as ROLE=COLUMN,…: question=Frage,options=A..D,answer=Lösung; the "
                    "roles are question, passage, options, answer and id."
                )
            if main_role == "answer":
                for reading in ("letter", "text", "0-based", "1-based"):
                    if columns.endswith(f":{reading}"):
                        columns, answer_as = columns.removesuffix(f":{reading}"), reading
            columns_by_role[main_role] = columns
        return cls(tuple(columns_by_role.items()), answer_as)

    @property
    def without_header(self) -> bool:
        """Whether every column is given by its number, as for a table without a header."""
        parts = [part for _, spec in self.named if spec != NONE for part in re.split(r"\.\.|\+", spec)]
        return bool(parts) and all(part.strip().isdigit() for part in parts)

    def over(self, fields: Found, names: Sequence[str]) -> Found:
        """The detected fields, with these columns replacing theirs. Raises `BadInput` if a column does not exist."""
        columns = {role: [] if spec == NONE else self._columns(role, spec, names) for role, spec in self.named}
        result = fields
        if "question" in columns:
            passage = tuple(name for name in fields.passage if name not in columns["question"])
            result = result._replace(question=tuple(columns["question"]), passage=passage, words={})
        if "options" in columns:
            options = tuple(columns["options"])
            result = result._replace(options=options, is_columns=len(options) > 1, answer_as="", counts_from=None)
        if "answer" in columns:
            result = result._replace(answer=tuple(columns["answer"]), answer_as="", counts_from=None)
        if "passage" in columns:
            result = result._replace(passage=tuple(columns["passage"]))
        used = {name for role in columns for name in columns[role]}
        rest = tuple(name for name in result.passage if "passage" in columns or name not in used)
        return result._replace(passage=rest, answer_as=self.answer_as or result.answer_as)

    def id_of(self, row: Mapping[str, object], names: Sequence[str]) -> object:
        """The row's own id of its question."""
        for role, spec in self.named:
            if role == "id":
                return row.get(self._columns(role, spec, names)[0])
        return row.get("id")

    def _columns(self, role: str, spec: str, names: Sequence[str]) -> list[str]:
        """The columns of a specification: names joined by +, or a range (A..D)."""

        def column(text: str) -> str:
            matches = [name for name in names if name == text.strip()] or [
                name for name in names if plain(name) == plain(text)
            ]
            if matches:
                return matches[0]
            closest = get_close_matches(text, names, n=1)
            hint = f" Did you mean {closest[0]!r}?" if closest else ""
            column_list = ", ".join(names)[:300]
            raise BadInput(
                f"--columns names {text.strip()!r} as {role}, which is no column.{hint} There are: {column_list}."
            )

        if spec in names:
            return [spec]
        columns: list[str] = []
        for part in spec.split("+"):
            first, dots, last = part.partition("..")
            start = names.index(column(first))
            end = names.index(column(last)) if dots else start
            if end < start:
                raise BadInput(f"--columns names {part!r}, but {last} stands before {first}. Name the first one first.")
            columns += names[start : end + 1]
        return columns
