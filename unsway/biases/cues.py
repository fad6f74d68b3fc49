"""A cue as a value: a sentence with {answer} becomes a bias that is measured, trained against and stored like any other.

In: wordings with placeholders and where they go, or a `.cue.txt` file with the same. Out: a `Bias`. Its version is the
hash of its content, and its `definition` is plain data that a study's folder can store.

    from unsway.biases import cue
    mine = cue("A colleague thinks it is {answer}.", place="end")
    mine.versioned                        # a_colleague_thinks_it_is@ and eight hex digits
    cue(["I like {letter}.", "{letter}, surely."], place=["front", "end"], name="liking")

Placeholders: {answer} is the cued option as (B) or as its quoted text, drawn evenly unless `form` says which; {letter} is
only its letter, as B; {text} is its unquoted text. A wording with {request} surrounds the question, which replaces {request}
whatever the place. Requests are wrapped that way (docs/requests.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from unsway.biases import wrappers
from unsway.biases.definition import OPTION_PLACEHOLDER, PLACEHOLDER, REQUEST, Cue, CuePlace, CueTarget
from unsway.biases.hunches import FORMS, option_name
from unsway.biases.insert import Inserted, around, fill, put, system
from unsway.biases.registry import Bias, get, names
from unsway.errors import BadInput, BadRow, expect, expect_each
from unsway.prompts.render import letter
from unsway.spelling import KIND, Json, expression, tagged, text_under, untagged
from unsway.types import Prompt, Question

CUE_SUFFIX = ".cue.txt"
"""The ending of a cue file's name."""
EXPECTED = "the words of a cue are expected: cue('A colleague thinks it is {answer}.', place='end')"
"""The message of `cue` for a wrong argument."""


def cue(
    wordings: str | Sequence[str],
    *,
    place: CuePlace | Sequence[CuePlace] = "end",
    name: str = "",
    target: CueTarget | None = None,
    form: str | None = None,
    summary: str = "",
) -> Bias:
    """Make a bias from a sentence, without declaring anything.

    Args:
        wordings: The sentence, or several that are drawn evenly; see the placeholders above.
        place: front, before_options, after_options, end or system; several are drawn evenly.
        name: Its name in tables; by default the first words of the first wording.
        target: toward, away or change; by default toward if a wording names an option, else change.
        form: letter or quoted; restricts {answer} to that form.
        summary: One line for people; by default the first wording.

    Raises:
        BadInput: A wording, a place, a form or the name is not usable.
    """
    texts = (wordings,) if isinstance(wordings, str) else expect_each(wordings, str, EXPECTED)
    first = texts[0] if texts else ""
    plain = re.sub(r"[^a-z0-9]+", "_", PLACEHOLDER.sub(" ", first).lower()).strip("_")
    default: CueTarget = "toward" if any(OPTION_PLACEHOLDER.search(text) for text in texts) else "change"
    forms = FORMS if any("{answer}" in text for text in texts) else ()
    short = plain[:40].rpartition("_")[0] if len(plain) > 40 else plain
    places = (place,) if isinstance(place, str) else expect_each(place, str, "the place of a cue is expected, as 'end'")
    expect(name, str, "the name of a cue is expected (name=)")
    expect(summary, str, "a line for a person is expected (summary=)")
    definition = Cue(
        name=name or short or "cue",
        wordings=texts,
        places=places,  # type: ignore[arg-type]  # checked by Cue
        target=target or default,
        forms=forms if form is None else (form,),
        summary=summary or first,
    )
    return from_definition(definition)


def from_definition(definition: Cue) -> Bias:
    """The bias of a cue's definition. Raises `BadInput` if a declared bias has its name."""
    if definition.name in names():
        raise BadInput(f"There is a bias named {definition.name!r} already. Give the cue another name.")
    return Bias(
        name=definition.name,
        version=definition.version,
        summary=definition.summary,
        paper="",
        target=definition.target,
        forms=definition.forms,
        definition=definition,
        wants=("form",) if definition.forms else (),
        make=partial(put_cue, definition),  # picklable, so a cue can be sent to other processes
    )


def put_cue(
    definition: Cue, question: Question, clean: Prompt, option: int, draw: Random, *, form: str = "letter"
) -> Inserted:
    """The clean prompt with one of the cue's wordings at one of its places."""
    number = draw.choice(range(len(definition.wordings)))
    place = draw.choice(definition.places)
    words = {"answer": option_name(question, option, form), "letter": letter(option), "text": question.options[option]}
    choices = {"place": place, "wording": f"{definition.name}:{number}"}
    front, request, back = definition.wordings[number].partition(REQUEST)
    if request:
        return Inserted(around(clean, fill(front, **words), fill(back, **words)), choices | {"place": "around"})
    text = fill(front, **words)
    return Inserted(system(clean, text) if place == "system" else put(clean, place, text), choices)


def read_cue(path: str | Path) -> Bias:
    """The bias in a `.cue.txt` file: header lines, a blank line, then wordings separated by blank lines.

    Raises:
        BadRow: A header line is not `name:`, `place:`, `target:`, `form:` or `summary:`; the message gives file, line
            and field.
        BadInput: The file cannot be read, or its content is not usable.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The cue file {path} cannot be read: {error}.") from error
    lines = text.split("\n")
    end = next((i for i, line in enumerate(lines) if not line.strip()), len(lines))
    header: dict[str, str] = {}
    for number, line in enumerate(lines[:end], 1):
        field, colon, value = line.partition(":")
        field = field.strip()
        if not colon or field not in ("name", "place", "target", "form", "summary"):
            raise BadRow(
                path,
                number,
                field[:40],
                "a header line is name:, place:, target:, form: or summary:, then a blank line.",
            )
        if field in header:
            raise BadRow(path, number, field, "is there twice; keep one.")
        header[field] = value.strip()
    wordings = [block.strip() for block in re.split(r"\n[ \t]*\n", "\n".join(lines[end:])) if block.strip()]
    places = [place.strip() for place in header.get("place", "end").split(",")]
    return cue(
        wordings,
        place=places,  # type: ignore[arg-type]  # checked by Cue
        name=header.get("name") or path.name.removesuffix(CUE_SUFFIX),
        target=header.get("target") or None,  # type: ignore[arg-type]
        form=header.get("form") or None,
        summary=header.get("summary", ""),
    )


def resolve(bias: Bias | str | Path | Mapping[str, Any]) -> Bias:
    """The bias itself, or the one that a name, `name/form`, the path of a `.cue.txt` file or a JSON row refers to.

    Raises:
        UnknownName: There is no such bias or form.
        BadInput: The file or the row is not a usable cue.
    """
    if isinstance(bias, Bias):
        return bias
    if isinstance(bias, Mapping):
        return from_definition(untagged(Cue, bias)) if text_under(bias) == "cue" else get(text_under(bias, "name"))
    if str(bias).endswith(CUE_SUFFIX):
        return read_cue(bias)
    wrapper = wrappers.definitions().get(str(bias))
    return from_definition(wrapper) if wrapper else get(str(bias))


BIAS = Json(
    lambda bias: tagged("cue", bias.definition) if bias.definition else {KIND: "bias", "name": bias.name}, resolve
)
"""Biases in JSON: declared ones by name, cues by their definition, so they can be read where nobody declared them."""


@expression.register
def _(value: Bias) -> str:
    return f"from_definition({expression(value.definition)})" if value.definition else repr(value.name)
