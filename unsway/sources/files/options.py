"""The options of a row, in all the ways that rows write them.

In: the value of one field, or one value per column. Out: `Choices`: texts, their labels, and the right one if the value
marks it.

    ["pear", "door"]                              {"text": ["pear", "door"], "label": ["A", "B"]}
    {"A": "pear", "B": "door"}                    [{"label": "A", "text": "pear"}, {"label": "B", "text": "door"}]
        "['pear', 'door']", as tables write lists     "A) pear B) door", as texts do
        {"choices": ["pear", "door"], "labels": [1, 0]}, {"pear": 1, "door": 0}: one of them is marked right
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from unsway.errors import kind_of

TEXT_KEYS = ("text", "content", "value", "option", "atext", "answer", "output", "choice")
"""Keys of an option's text, if the option is an object."""
LABEL_KEYS = ("label", "key", "letter", "aid", "id", "index", "name")
"""Keys of an option's label."""
RIGHT_KEYS = ("is_correct", "isCorrect", "correct", "is_answer", "right")
"""Keys that say whether an option is right."""
MANY_LETTERS = [chr(65 + place) for place in range(26)]
_MARK = r"[(\[（【]?\s*{label}\s*(?:[)\]）】:：、．]|\.(?=\s|\w{{2}}))\s*"
_LETTERED = re.compile(rf"\s*{_MARK.format(label='([A-Za-z])')}(?=\S)")
_NUMBERED = re.compile(r"\s*[(\[（]?\s*(\d{1,2})\s*[)\]）.、．:]\s+(?=\S)")
_INLINE = re.compile(rf"(?:^|(?<=[\s,;])){_MARK.format(label='([A-Za-z])')}", re.M)
_HEADING = re.compile(
    r"\s*\n?[^\n.?!]{0,40}\b\w*(?:choices|options|optionen|opciones|opzioni)\b[^\n.?!]{0,30}[:：]\s*\Z", re.I
)
_ANSWER_PROMPT = re.compile(
    r"\s*\n\s*[^\n]{0,40}(?:answer|antwort|respuesta|réponse|risposta|答案)[^\n]{0,40}[:：]?\s*\(?\s*\Z", re.I
)


class Choices(NamedTuple):
    """The options of a row."""

    texts: tuple[Any, ...]
    """Their texts; a value that is not text is left to the question's own check."""
    labels: tuple[str, ...] = ()
    """The row's own labels, if any: A, B, … or 1, 2, …"""
    right: int | None = None
    """Index of the right one, if the options themselves mark it."""
    is_lettered: bool = False
    """Whether the texts still include letters or numbers, so they must keep their order."""


def choices_of(value: object) -> Choices:
    """The options in the value of one field. Raises `ValueError`."""
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, Mapping):
        return _by_key(value)
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list of texts, is {kind_of(value)}")
    values = without_gaps(value)
    pairs = [next(iter(item.items())) if isinstance(item, Mapping) and len(item) == 1 else item for item in values]
    are_pairs = all(
        isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], str | int) for item in pairs
    )
    if are_pairs and len(dict(map(tuple, pairs))) > 1:  # type: ignore[arg-type]
        return _by_key(dict(map(tuple, pairs)))  # type: ignore[arg-type]  # [{"A": "pear"}, …] or [["A", "pear"], …]
    if not any(isinstance(item, Mapping) for item in values):
        return without_letters(tuple(map(as_text, values)))
    texts, labels, right = [], [], []
    for index, item in enumerate(values):
        if not isinstance(item, Mapping) or not (key := next((k for k in TEXT_KEYS if k in item), None)):
            raise ValueError(f"option {index} must be a text, or an object with text and label, is {kind_of(item)}")
        text = item[key]
        texts.append(as_text(text.get("text") if isinstance(text, Mapping) else text))
        labels += [str(item[k]) for k in LABEL_KEYS if k in item][:1]
        tags = item.get("tags")
        is_tagged = "correct" in tags if isinstance(tags, list) else tags == "correct"  # not in the text "incorrect"
        if is_tagged or any(item.get(k) in (True, 1, "true", "True") for k in RIGHT_KEYS):
            right.append(index)
    choices = without_letters(tuple(texts))
    own_labels = tuple(labels) if len(set(labels)) == len(texts) else choices.labels
    if len(right) > 1:
        raise ValueError(f"has {len(right)} right options; one is allowed")
    return choices._replace(labels=own_labels, right=right[0] if right else None)


def of_columns(cells: Sequence[object], names: Sequence[str]) -> Choices:
    """The options in several columns; the last ones may be empty. Raises `ValueError`."""
    labels = [re.sub(r".*?(aa|[a-z]|)\Z", r"\1", name.strip().lower(), flags=re.S).upper() for name in names]
    filled = [index for index, cell in enumerate(cells) if not is_missing(cell)]
    is_lettered = labels[0] == "A"
    if filled != list(range(len(filled))) or (
        is_lettered and labels[: len(filled)] != [*MANY_LETTERS, "AA"][: len(filled)]
    ):
        column_names = ", ".join(names[index] for index in filled)
        raise ValueError(f"columns must be filled from {names[0]} without a gap, are {column_names}")
    choices = without_letters(tuple(as_text(cell) for cell in cells[: len(filled)]))
    return choices if choices.labels or not is_lettered else choices._replace(labels=tuple(labels[: len(filled)]))


def as_text(value: object) -> Any:
    """A number or a truth value as text; any other value unchanged."""
    return str(value) if isinstance(value, int | float) else value


def is_missing(value: object) -> bool:
    """Whether a value is missing: null, an empty text, or NaN (which pandas writes into gaps)."""
    return (
        value is None or (isinstance(value, str) and not value.strip()) or (isinstance(value, float) and value != value)
    )


def without_gaps(values: Sequence[object]) -> tuple[object, ...]:
    """Values without trailing nulls, which tables write when other rows have more options, or repeated N/A (MMLU-Pro)."""
    n = len(values)
    gaps = ("N/A",) if list(values).count("N/A") > 1 else ()
    while n and (values[n - 1] is None or values[n - 1] != values[n - 1] or values[n - 1] in gaps):
        n -= 1
    return tuple(values[:n])


def without_letters(texts: tuple[Any, ...]) -> Choices:
    """Options without their letters, if all of them have one.

    Numbers stay, because "1. May" is a day. Letters that only some options have stay too, because "A. Lincoln" is a name;
    such options keep their order.
    """
    if len(texts) < 2 or not all(isinstance(text, str) for text in texts):
        return Choices(texts)
    alphabet = MANY_LETTERS[: len(texts)]
    matches = [match for text in texts if (match := _LETTERED.match(text))]
    letters = [match[1].upper() for match in matches]
    bare = tuple(match.string[match.end() :].strip() for match in matches)
    is_marked = letters == alphabet or (sorted(letters) == alphabet and not any("." in match[0] for match in matches))
    if is_marked and len(set(bare)) == len(texts):
        return Choices(bare, tuple(letters))
    numbers = [match[1] for text in texts if (match := _NUMBERED.match(text))]
    is_numbered = numbers in ([str(n + 1) for n in range(len(texts))], [str(n) for n in range(len(texts))])
    is_letters = [text.strip().strip("().").upper() for text in texts] == alphabet
    return Choices(texts, is_lettered=is_numbered or is_letters or len(set(letters) & set(alphabet)) > 1)


def split_lettered(text: str) -> tuple[str, Choices] | None:
    """The text before a final list of lettered options, and those options; None if there is no such list."""
    marks = list(_INLINE.finditer(text))
    for start in range(len(marks) - 1, -1, -1):
        if marks[start][1].upper() != "A":
            continue
        chain = [marks[start]]
        for mark in marks[start + 1 :]:
            same_form = mark[0].strip()[-1] == chain[0][0].strip()[-1] and mark[1].isupper() == chain[0][1].isupper()
            if same_form and mark[1].upper() == MANY_LETTERS[len(chain) % 26]:
                chain.append(mark)
        ends = [mark.start() for mark in chain[1:]] + [len(text)]
        parts = [text[mark.end() : end].strip().rstrip(",;").strip() for mark, end in zip(chain, ends, strict=True)]
        if len(parts) > 1:
            parts[-1] = _ANSWER_PROMPT.sub("", text[chain[-1].end() :]).strip().rstrip(",;").strip()
            if all(parts) and len(set(parts)) == len(parts):
                before = _HEADING.sub("", text[: chain[0].start()].rstrip())
                return before.strip(), Choices(tuple(parts), tuple(MANY_LETTERS[: len(parts)]))
    return None


def _by_key(value: Mapping[Any, Any]) -> Choices:
    """Options in an object: lists of texts and labels, texts by label, or scores by text."""
    lists = {key: without_gaps(item) for key, item in value.items() if isinstance(item, list | tuple)}
    texts = next((lists[key] for key in ("text", "texts", "choices", "options") if key in lists), None)
    if texts is not None:
        choices = without_letters(tuple(map(as_text, texts)))
        labels = next((lists[key] for key in ("label", "labels", "key", "keys", "scores") if key in lists), ())
        if len(labels) != len(texts):
            return choices
        if (right := one_hot(labels, len(texts))) is not None:
            return choices._replace(right=right)
        return choices._replace(labels=tuple(map(str, labels)))
    keys = [re.sub(r"^(?:OPTION|OPT|CHOICE|ANSWER)[\W_]*(?=\w{1,2}$)", "", str(key).strip().upper()) for key in value]
    if keys != MANY_LETTERS[: len(keys)] and (right := one_hot(list(value.values()), len(value))) is not None:
        return Choices(tuple(value), right=right)
    values = without_gaps([None if is_missing(item) else item for item in value.values()])
    short = [key for key in keys if re.fullmatch(r"[A-Z]|\d{1,2}", key)]
    if len(short) != len(keys):
        raise ValueError(f"must be a list of texts, or texts by letter, is {kind_of(value)}")
    if keys != sorted(keys, key=lambda key: (len(key), key)):
        raise ValueError(f"have the letters {', '.join(keys)}, which are not in order; sort them")
    return without_letters(tuple(map(as_text, values)))._replace(labels=tuple(keys[: len(values)]))


def one_hot(values: Sequence[object], n: int) -> int | None:
    """The index of the only 1 among zeros, for n values; None for other values. Raises `ValueError`."""
    if len(values) != n or n < 2 or any(isinstance(value, str) or value not in (0, 1) for value in values):
        return None
    right = [index for index, value in enumerate(values) if value == 1]
    if len(right) != 1:
        raise ValueError(f"name {len(right)} right options; exactly one is allowed")
    return right[0]


def _from_text(value: str) -> Choices:
    """Options in a text: a list as JSON, Python or numpy writes it, or lettered texts."""
    text = unicodedata.normalize("NFC", value.strip())
    for parse in (json.loads, _python_list):
        try:
            options = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError):
            continue
        if isinstance(options, list | tuple | dict):
            return choices_of(options)
    if (stem_and_choices := split_lettered(text)) and not stem_and_choices[0]:
        return stem_and_choices[1]
    raise ValueError(
        f'must be a list of texts, is {kind_of(value)}. In a table, write a JSON list like ["yes", "no"], or a column for '
        "each option (A, B, …)"
    )


def _python_list(text: str) -> Any:
    """A list as written by Python's `str`, or by numpy, which puts no commas between texts."""
    text = re.sub(r"\barray\((.*?),\s*dtype=\w+\)", r"\1", text, flags=re.S)
    text = re.sub(r"\bnan\b(?=\s*[,\]])", "None", text)
    if "'" in text or '"' in text:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        code_tokens = [t for t in tokens if t.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT)]
        words = []
        for token, next_token in zip(code_tokens, [*code_tokens[1:], None], strict=True):
            words.append(token.string)
            if next_token and token.type == next_token.type == tokenize.STRING:
                words.append(",")  # Python would join two adjacent texts
        text = " ".join(words)
    return ast.literal_eval(text.strip())
