"""Data in a reply: the fields of JSON, YAML or XML, each with the keys that lead to it.

In: the text of a reply and its bounds. Out: `Data`, or None if the reply contains none.

    data_in('{"first": {"answer": "B"}}', 0, 26).fields[0].keys   # ("first", "answer")

It is as lenient as models are careless: single quotes, bare words and extra commas are accepted. Data that never closes is
text. json and json_repair give values without positions, which pages highlight; PyYAML gives positions, but fails on
"answer: (B): a spoon".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from unsway.readers.layout import FENCE, HEAD, LOOKED_AT
from unsway.readers.patterns import marks

MOST_TOKENS = 1000
"""Most JSON words and brackets, XML tags and YAML lines; above that a reply is read as plain text."""
MOST_OBJECTS = 12
"""Most positions tried as the start of an object; with MOST_TOKENS, limits the time for a hostile reply."""


class Field(NamedTuple):
    """A key and a value without fields of its own."""

    keys: tuple[str, ...]
    """The keys that lead to it, its own last, in lower case with spaces; an empty one stands for a list in between."""
    holder: int
    """Where the enclosing object begins; tells two objects with the same name apart."""
    start: int
    """Where its key begins, in characters of the reply; for a list item, where the item begins."""
    value: int
    """Where its value begins."""
    end: int
    """Where its value ends."""


class Data(NamedTuple):
    """The fields of a reply, and their positions."""

    fields: tuple[Field, ...]
    start: int
    """Where it begins, in characters of the reply."""
    end: int
    """Where it ends."""
    form: Literal["json", "xml", "yaml"]
    """The format; in XML, other text may come between the fields."""


def data_in(text: str, low: int, high: int) -> Data | None:
    """The last JSON object of a reply; else its XML elements; else its YAML, if the whole reply is YAML."""
    data = None
    if text.find("{", low, high) >= 0:
        data = last_json(text, low, high)
    if data is None and text.find("<", low, high) >= 0 and text.find("</", low) >= 0:
        data = elements(text, max(low, high - LOOKED_AT), high)
    if data is None and text.find(":\n", low, high) >= 0:
        data = yaml_lines(text, low, high)
    return data


def last_json(text: str, low: int, high: int) -> Data | None:
    """The last JSON object or list of objects with a field, if it begins near the start or the end of the reply."""
    data = None
    tokens = iter(range(MOST_TOKENS))
    areas = ((low, low + HEAD), (max(low + HEAD, high - LOOKED_AT), high)) if high - low > HEAD else ((low, high),)
    end = low
    begins = (match.start() for area in areas for match in marks.OBJECT.finditer(text, *area))
    for attempt, begin in enumerate(begins):
        if begin < end:
            continue
        if attempt == MOST_OBJECTS:
            return None
        json_data = json_object(text, begin, high, tokens)
        if json_data is None:
            continue
        end = json_data.end
        if data is not None and not text[data.end : begin].strip("`json,\n "):  # one object per line
            data = data._replace(fields=data.fields + json_data.fields, end=end)
        elif json_data.fields:
            data = json_data
    return data


class _Open(NamedTuple):
    """An open JSON bracket or YAML key."""

    keys: tuple[str, ...]
    place: int
    in_list: bool


def json_object(text: str, start: int, high: int, tokens: Iterator[int]) -> Data | None:
    """The fields between a bracket and its closing one; None if it never closes, or if there are too many tokens."""
    fields: list[Field] = []
    stack: list[_Open] = []
    key: tuple[str, int] | None = None
    scalar: tuple[int, int] | None = None
    for token in marks.JSON_TOKEN.finditer(text, start, high):
        if next(tokens, None) is None:
            return None
        sign = token[0]
        holder = stack[-1] if stack else None
        if sign in ("{", "["):
            own_keys = () if holder is None else (*holder.keys, key[0] if key else "")
            stack.append(_Open(own_keys, token.start(), sign == "["))
            key = scalar = None
        elif holder is None:
            return None
        elif sign in ("}", "]", ","):
            if scalar is not None and (key or holder.in_list):
                keys = holder.keys or ("",) if holder.in_list else (*holder.keys, key[0] if key else "")
                fields.append(Field(keys, holder.place, key[1] if key else scalar[0], *scalar))
            key = scalar = None
            if sign != ",":
                stack.pop()
                if not stack:
                    return Data(tuple(fields), start, token.end(), "json")
        elif sign == ":" and scalar is not None and key is None and not holder.in_list:
            key, scalar = (plain(text[slice(*scalar)]), scalar[0]), None
        else:
            scalar = (scalar[0] if scalar else token.start(), token.end())
    return None


def elements(text: str, low: int, high: int) -> Data | None:
    """The XML elements that contain no other element."""
    fields: list[Field] = []
    stack: list[tuple[str, int, int]] = []
    """Name, start and end of each open tag."""
    last_start = -1
    closing_tags = marks.CLOSING_TAGS.match(text, high)
    for i, tag in enumerate(marks.ELEMENT.finditer(text, low, closing_tags.end() if closing_tags else high)):
        if i == MOST_TOKENS:
            return None
        name = tag["name"].lower()
        if not tag["closes"]:
            stack.append((name, *tag.span()))
            last_start = tag.start()
            continue
        depth = next((i for i in range(len(stack) - 1, -1, -1) if stack[i][0] == name), None)
        if depth is None:
            continue
        if stack[depth][1] == last_start:
            keys = tuple(plain(tag_name) for tag_name, *_ in stack[: depth + 1])
            fields.append(Field(keys, stack[depth - 1][1] if depth else -1, last_start, stack[depth][2], tag.start()))
        del stack[depth:]
    return Data(tuple(fields), low, high, "xml") if fields else None


def yaml_lines(text: str, low: int, high: int) -> Data | None:
    """The fields of nested YAML, if every line of the reply, or of the code block it consists of, is YAML."""
    start = text.find("\n", low, high) + 1 if text.startswith(FENCE, low) else low
    end = high - len(FENCE) if start > low and text.endswith(FENCE, low, high) else high
    fields: list[Field] = []
    stack: list[tuple[float, _Open]] = []
    """What is open at each column; a list item counts as half a column after its dash."""
    nested = False
    position = start
    for i, line in enumerate(text[start:end].split("\n")):
        match = marks.YAML_LINE.fullmatch(line)
        if match is None or i == MOST_TOKENS:
            return None
        begin, position = position, position + len(line) + 1
        if not line.strip():
            continue
        column = len(match["indent"])
        while stack and (stack[-1][0] > column or (stack[-1][0] == column and not match["dash"])):
            stack.pop()
        if (column or match["dash"]) and not stack:
            return None  # nothing encloses it
        holder = stack[-1][1] if stack else _Open((), -1, False)
        if match["dash"]:
            holder = _Open((*holder.keys, ""), begin, True)
            stack.append((column + 0.5, holder))
            column += len(match["dash"])
        key = plain(match["key"]) if match["key"] else None
        if match["value"] is None:
            stack.append((column, _Open((*holder.keys, key or ""), begin + column, False)))
            continue
        if key is None and not match["dash"]:
            return None
        keys = holder.keys[:-1] or ("",) if key is None else (*holder.keys, key)
        nested = nested or (key is not None and len(keys) > 1)
        value = begin + match.start("value")
        fields.append(Field(keys, holder.place, begin + match.start("key") if key else value, value, begin + len(line)))
    return Data(tuple(fields), start, end, "yaml") if nested and fields else None


def plain(key: str) -> str:
    """A key in lower case with separate words: "finalAnswer" and "final_answer" are both "final answer"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key.strip("\"' "))
    return re.sub(r"[\s_-]+", " ", words[:60]).strip().lower()
