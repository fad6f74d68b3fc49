"""Whether a reply follows instructions about its form: IFEval's checks that need no language detector, as pure functions.

In: the text of a reply, and instructions: each the name of a check with its arguments. Out: which instructions it follows.

    follows("Yes! Yes!", [Instruction("punctuation:no_comma"), Instruction("keywords:existence", {"keywords": ["yes"]})])
    # (True, True)

Names, arguments and meanings are IFEval's (arXiv 2311.07911, table 1 and appendix), so its prompts can be scored unchanged;
the code is our own. The strict check takes the reply as it is. The loose one accepts any of eight versions of it, because a
greeting in the first line, a farewell in the last, or bold print can hide a reply that complies (section 2.2).
Not included: `language:response_language`, whose detector gives different answers from run to run. For the same reason
`change_case` checks only letters. Sentences and capital words are counted by rules; the original has a trained splitter.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from unsway.errors import BadInput, UnknownName

Check: TypeAlias = Callable[..., bool]
"""Takes a reply and the instruction's arguments by name; returns whether the reply follows it."""
Relation: TypeAlias = Literal["at least", "less than"]
"""How a count compares with the requested number."""
UNCHECKED = frozenset({"language:response_language"})
"""IFEval instructions that are not checked here; prompts with one are left out and counted."""

CHECKS: dict[str, Check] = {}
"""Every check by name; its signature lists an instruction's arguments."""

_ABBREVIATION = re.compile(r"\b(?:mr|mrs|ms|dr|prof|st|vs|e\.g|i\.e|fig|approx|(?-i:[A-Z]))\.$", re.I)
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s|$)")
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\w+(?:['’-]\w+)*")
_EMPHASIS = re.compile(r"\*\*([^\n*]+)\*\*|\*([^\n*]+)\*")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction about the form of a reply. Raises `UnknownName` or `BadInput` if no check fits it."""

    check: str
    """Name of the check, such as `punctuation:no_comma`."""
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The instruction's arguments, by the names in the check's signature; None values are left out."""

    def __post_init__(self) -> None:
        if self.check not in CHECKS:
            raise UnknownName("instruction", self.check, CHECKS)
        values = {name: value for name, value in self.arguments.items() if value is not None}
        object.__setattr__(self, "arguments", values)  # frozen
        try:
            inspect.signature(CHECKS[self.check]).bind("", **values)
        except TypeError as error:
            raise BadInput(
                f"The instruction {self.check!r} has {values or 'no arguments'}: {error}. It takes {signature(self.check)}."
            ) from None

    def holds(self, reply: str) -> bool:
        """Whether a reply follows it; an empty reply follows nothing."""
        return bool(reply.strip()) and CHECKS[self.check](reply, **self.arguments)


def check(name: str) -> Callable[[Check], Check]:
    """Declare a check from a function `(reply, **arguments) -> bool`. Raises `BadInput` if the name is taken."""

    def declare(function: Check) -> Check:
        if name in CHECKS:
            raise BadInput(f"There is a check named {name!r} already. Rename one of the two.")
        CHECKS[name] = function
        return function

    return declare


def signature(name: str) -> str:
    """The arguments of the instruction with that name, such as `(num_words, relation)`."""
    _, *parameters = inspect.signature(CHECKS[name]).parameters
    return f"({', '.join(parameters)})"


def follows(reply: str, instructions: Sequence[Instruction], *, loose: bool = False) -> tuple[bool, ...]:
    """Which instructions a reply follows, in order. With `loose`, any of the reply's versions may follow it."""
    versions = loose_versions(reply) if loose else (reply,)
    return tuple(any(instruction.holds(version) for version in versions) for instruction in instructions)


def loose_versions(reply: str) -> tuple[str, ...]:
    """Eight versions: the reply, and it without its first line, its last, or both; each also without asterisks."""
    lines = reply.split("\n")
    versions = (reply, *("\n".join(lines[part]).strip() for part in (slice(1, None), slice(0, -1), slice(1, -1))))
    return (*versions, *(text.replace("*", "") for text in versions))


def compares(count: int, relation: Relation, number: int) -> bool:
    """Whether a count is at least a number, or less than it. Raises `BadInput` for any other relation."""
    if relation not in ("at least", "less than"):
        raise BadInput(f"The relation is {relation!r}; it is 'at least' or 'less than'.")
    return count >= number if relation == "at least" else count < number


def sentences(text: str) -> int:
    """The number of sentences: sentence ends that are not abbreviations, plus one for any words after the last."""
    count, begin = 0, 0
    for end in _SENTENCE_END.finditer(text):
        stop = end.start() + 1
        if _WORD.search(text, begin, stop) is None:
            begin = stop
        elif not (end[0] == "." and _ABBREVIATION.search(text[max(begin, stop - 12) : stop])):
            count, begin = count + 1, end.end()
    return count + bool(_WORD.search(text, begin))


def between(text: str, opens: str, closes: str, *, least: int = 0) -> Iterator[str]:
    """The texts between two marks on one line, with at least `least` characters each; takes one pass over each line."""
    for line in text.split("\n"):
        start = line.find(opens)
        while start >= 0 and (end := line.find(closes, start + len(opens) + least)) >= 0:
            yield line[start + len(opens) : end]
            start = line.find(opens, end + len(closes))


# ---------------------------------------------------------------- keywords


@check("keywords:existence")
def existence(reply: str, keywords: Sequence[str]) -> bool:
    """Every keyword is in it, in any case."""
    return all(keyword.casefold() in reply.casefold() for keyword in keywords)


@check("keywords:frequency")
def frequency(reply: str, keyword: str, frequency: int, relation: Relation) -> bool:
    """A keyword occurs the given number of times, in any case."""
    return compares(reply.casefold().count(keyword.casefold()), relation, frequency)


@check("keywords:forbidden_words")
def forbidden_words(reply: str, forbidden_words: Sequence[str]) -> bool:
    """None of these words occurs as a whole word."""
    return not any(re.search(rf"\b{re.escape(word)}\b", reply, re.I) for word in forbidden_words)


@check("keywords:letter_frequency")
def letter_frequency(reply: str, letter: str, let_frequency: int, let_relation: Relation) -> bool:
    """A letter occurs the given number of times, in any case."""
    return compares(reply.lower().count(letter.lower()), let_relation, let_frequency)


# ---------------------------------------------------------------- lengths


@check("length_constraints:number_sentences")
def number_sentences(reply: str, num_sentences: int, relation: Relation) -> bool:
    """It has the given number of sentences."""
    return compares(sentences(reply), relation, num_sentences)


@check("length_constraints:number_words")
def number_words(reply: str, num_words: int, relation: Relation) -> bool:
    """It has the given number of words: runs of letters and digits."""
    return compares(len(_WORD.findall(reply)), relation, num_words)


@check("length_constraints:number_paragraphs")
def number_paragraphs(reply: str, num_paragraphs: int) -> bool:
    """It has exactly the given number of paragraphs, separated by lines of three asterisks; none in between is empty."""
    parts = [part.strip() for part in reply.split("***")]
    return all(parts[1:-1]) and sum(map(bool, parts)) == num_paragraphs


@check("length_constraints:nth_paragraph_first_word")
def nth_paragraph_first_word(reply: str, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """It has exactly the given number of paragraphs, separated by blank lines, and the nth one begins with this word."""
    parts = reply.split("\n\n")
    if sum(bool(part.strip()) for part in parts) != num_paragraphs or not 1 <= nth_paragraph <= num_paragraphs:
        return False
    begins = re.match(r"[\s'\"]*([^\s.,?!'\"]*)", parts[nth_paragraph - 1])
    return begins is not None and begins[1].casefold() == first_word.casefold()


# ---------------------------------------------------------------- contents


@check("detectable_content:number_placeholders")
def number_placeholders(reply: str, num_placeholders: int) -> bool:
    """It has at least the given number of placeholders in square brackets."""
    return sum(1 for _ in between(reply, "[", "]")) >= num_placeholders


@check("detectable_content:postscript")
def postscript(reply: str, postscript_marker: str) -> bool:
    """It has a postscript with this mark; `P.S.` and `P.P.S` may have one space between the letters."""
    letters = postscript_marker.strip().rstrip(".").split(".")
    pattern = (
        r"\.\s?".join(map(re.escape, letters)) + (r"\." if postscript_marker.strip().endswith(".") else "")
        if len(letters) > 1
        else re.escape(postscript_marker.strip())
    )
    return re.search(pattern, reply, re.I) is not None


@check("combination:repeat_prompt")
def repeat_prompt(reply: str, prompt_to_repeat: str) -> bool:
    """It begins with the request, word for word, in any case."""
    return reply.strip().casefold().startswith(prompt_to_repeat.strip().casefold())


@check("combination:two_responses")
def two_responses(reply: str) -> bool:
    """It consists of two different replies with six asterisks between them."""
    parts = [part.strip() for part in reply.split("******")]
    replies = [part for part in parts if part]
    return all(parts[1:-1]) and len(replies) == 2 and replies[0] != replies[1]


# ---------------------------------------------------------------- formats


@check("detectable_format:number_bullet_lists")
def number_bullet_lists(reply: str, num_bullets: int) -> bool:
    """It has exactly the given number of bullet points: lines that begin with one asterisk or a hyphen."""
    return len(re.findall(r"^[^\S\n]*(?:\*[^*\n]|-)", reply, re.M)) == num_bullets


@check("detectable_format:constrained_response")
def constrained_response(reply: str) -> bool:
    """It contains one of three fixed answers."""
    return any(f"My answer is {word}." in reply for word in ("yes", "no", "maybe"))


@check("detectable_format:number_highlighted_sections")
def number_highlighted_sections(reply: str, num_highlights: int) -> bool:
    """It has at least the given number of non-empty passages between single or double asterisks."""
    return sum(bool((bold or thin).strip()) for bold, thin in _EMPHASIS.findall(reply)) >= num_highlights


@check("detectable_format:multiple_sections")
def multiple_sections(reply: str, section_spliter: str, num_sections: int) -> bool:
    """It has at least the given number of sections, each headed by this word and a number."""
    return len(re.findall(rf"{re.escape(section_spliter.strip())}\s?\d+", reply)) >= num_sections


@check("detectable_format:json_format")
def json_format(reply: str) -> bool:
    """All of it is JSON, with or without a code fence."""
    text = reply.strip()
    fence = re.match(r"```(?:json)?", text, re.I)
    fenced = fence is not None and text.endswith("```") and len(text) >= fence.end() + 3
    try:
        json.loads(text[fence.end() : -3] if fence and fenced else reply)
    except (ValueError, RecursionError):
        return False
    return True


@check("detectable_format:title")
def title(reply: str) -> bool:
    """It has a title in double angle brackets."""
    return any(text.strip(" <>") for text in between(reply, "<<", ">>", least=1))


@check("startend:end_checker")
def end_checker(reply: str, end_phrase: str) -> bool:
    """It ends with this phrase, in any case."""
    return reply.strip().strip('"').casefold().endswith(end_phrase.strip().casefold())


@check("startend:quotation")
def quotation(reply: str) -> bool:
    """All of it is between double quotation marks."""
    text = reply.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'


# ---------------------------------------------------------------- case and punctuation


@check("change_case:capital_word_frequency")
def capital_word_frequency(reply: str, capital_frequency: int, capital_relation: Relation) -> bool:
    """It has the given number of words in capitals."""
    return compares(sum(word.isupper() for word in _TOKEN.findall(reply)), capital_relation, capital_frequency)


@check("change_case:english_capital")
def english_capital(reply: str) -> bool:
    """Every letter is a capital."""
    return reply.isupper()


@check("change_case:english_lowercase")
def english_lowercase(reply: str) -> bool:
    """No letter is a capital."""
    return reply.islower()


@check("punctuation:no_comma")
def no_comma(reply: str) -> bool:
    """It has no comma."""
    return "," not in reply
