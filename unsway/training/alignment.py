"""Align the tokens of a clean prompt with those of the biased one, by the parts they share, never by searching text.

In: weights (tokenizer and chat template), both prompts of a row with their tagged parts, a window. Out: pairs of token
positions (in the clean prompt, in the biased one), increasing in both, whose ids are equal.

A conversation is rendered twice, once with a sentinel instead of every content, to separate the template's own text from
that of messages. The characters of parts that both prompts share are matched in order, and so is equal template text around
them. A token is aligned if all of its characters are. A token with characters on both sides of a cue's boundary is left out,
even if its id agrees. Other implementations search for the longest common suffix, or for the clean text verbatim: if a cue
splits the question, the first finds only the chat template and the second nothing.

    aligned(weights, row.clean, row.biased, "after")     # ((55, 67), (56, 68), …)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

from unsway.errors import BadInput
from unsway.models.beginnings import common
from unsway.models.weights import Weights
from unsway.types import Message, Prompt

Window: TypeAlias = Literal["suffix", "after", "content", "shared"]
"""Which aligned tokens count: those of the common suffix of both prompts, those after the first token of the cue, those of
the last question's own parts, or all."""
Places: TypeAlias = tuple[tuple[int, int], ...]
"""Aligned tokens: (position in the clean prompt, position in the biased prompt)."""


class _Piece(NamedTuple):
    """Characters of a rendering that belong together."""

    start: int
    end: int
    message: int
    """Index of its message; for template text, of the next message, or the number of messages at the end."""
    kind: str
    """`template`, or the kind of the part."""


@dataclass(frozen=True)
class _Rendering:
    """A prompt as text with its pieces, and as tokens."""

    text: str
    pieces: tuple[_Piece, ...]
    tokens: tuple[tuple[int, int, tuple[int, ...]], ...]
    """Start, end and ids of the tokens that cover the same characters, in order; they tile the text."""
    n_messages: int

    def own(self) -> list[_Piece]:
        """The parts that are not cues, in the order of the conversation."""
        return sorted((p for p in self.pieces if p.kind not in ("template", "cue")), key=lambda p: (p.message, p.start))


def align(weights: Weights, clean: Prompt, biased: Prompt, window: Window = "after") -> Places:
    """Pairs of token positions; see the module.

    Args:
        weights: The model whose tokenizer and template are used.
        clean: The prompt without the cue.
        biased: The prompt with it; its parts are the clean one's and cues.
        window: Which pairs to keep. `after` keeps all if there is no cue.

    Raises:
        BadInput: The prompts differ by more than cues, the model speaks in one of them, the template rewrites a message,
            or nothing is aligned.
    """
    if clean.n_model_turns or biased.n_model_turns:
        raise BadInput("has a prompt in which the model speaks before its last reply, whose words a row does not hold")
    if biased.stripped() != clean.stripped():
        raise BadInput("has prompts that differ by more than cues (a permutation of the options, or other words)")
    if not weights.tokenizer.is_fast:
        return _common_end(weights, clean, biased, window)
    clean_rendering = _render(weights, clean)
    biased_rendering = _render(weights, biased)
    matches = _same_tokens(clean_rendering, biased_rendering, _characters(clean_rendering, biased_rendering))
    cues = [piece for piece in biased_rendering.pieces if piece.kind == "cue" and piece.start < piece.end]
    first_start = min((piece.start for piece in cues), default=0)
    first_cue = next(i for i, (_, end) in enumerate(_spans(biased_rendering)) if end > first_start)
    last_pieces = [
        p
        for p in clean_rendering.pieces
        if p.message == clean_rendering.n_messages - 1 and p.kind not in ("template", "cue")
    ]
    spans = _spans(clean_rendering)
    places = matches
    match window:
        case "after":
            places = tuple(pair for pair in matches if pair[1] >= first_cue)
        case "content":
            low, high = min(p.start for p in last_pieces), max(p.end for p in last_pieces)
            places = tuple(pair for pair in matches if low <= spans[pair[0]][0] and spans[pair[0]][1] <= high)
        case "suffix":
            ends = (len(spans) - 1, len(_spans(biased_rendering)) - 1)
            places = tuple(pair for i, pair in enumerate(reversed(matches)) if pair == (ends[0] - i, ends[1] - i))[::-1]
    if not places:
        raise BadInput(f"has no aligned tokens in the window {window!r}")
    return places


def _spans(rendering: _Rendering) -> list[tuple[int, int]]:
    """Start and end of each token's characters."""
    return [(start, end) for start, end, ids in rendering.tokens for _ in ids]


def _common_end(weights: Weights, clean: Prompt, biased: Prompt, window: Window) -> Places:
    """The common suffix of both prompts, by ids: all that is possible with a tokenizer that does not give token offsets."""
    if window != "suffix":
        raise BadInput(f"cannot be aligned: the tokenizer of {weights.name!r} gives no offsets. Set window=suffix")
    clean_ids = weights.encode(clean.messages())[::-1]
    biased_ids = weights.encode(biased.messages())[::-1]
    n = common(clean_ids, biased_ids)
    if not n:
        raise BadInput("has no aligned tokens in the window 'suffix'")
    return tuple((len(clean_ids) - i, len(biased_ids) - i) for i in range(n, 0, -1))


# ---------------------------------------------------------------- a prompt as characters and tokens


def _render(weights: Weights, prompt: Prompt) -> _Rendering:
    """Render a prompt, and find its parts and the template's text. Raises `BadInput` if the template rewrites it."""
    messages = prompt.messages()
    text = weights.rendered(messages)
    sentinels = [f"Qxz{'abcdefghij'[i // 10 % 10]}{'abcdefghij'[i % 10]}zxQ" for i in range(len(messages))]
    skeleton = weights.rendered([Message(m.role, s) for m, s in zip(messages, sentinels, strict=True)])
    if any(skeleton.count(sentinel) != 1 for sentinel in sentinels):
        raise BadInput(f"cannot be aligned: the chat template of {weights.name!r} drops or repeats a message")
    pieces: list[_Piece] = []
    position = 0
    template_start = 0
    for index in sorted(range(len(messages)), key=lambda i: skeleton.index(sentinels[i])):
        sentinel_at = skeleton.index(sentinels[index])
        template = skeleton[template_start:sentinel_at]
        template_start = sentinel_at + len(sentinels[index])
        pieces.append(_Piece(position, position + len(template), index, "template"))
        content = messages[index].content
        following = skeleton[
            template_start : min(
                [skeleton.index(s) for s in sentinels if skeleton.index(s) > sentinel_at] + [len(skeleton)]
            )
        ]
        start = position + len(template)
        rendered = next(
            (
                form
                for form in (content, content.rstrip(), content.lstrip(), content.strip())
                if text.startswith(template + form + following, position)
            ),
            None,
        )
        if rendered is None:
            excerpt = text[start : start + 40]
            raise BadInput(
                f"cannot be aligned: the chat template of {weights.name!r} rewrites message {index + 1} (from character "
                f"{start}, {excerpt!r})"
            )
        n_trimmed = len(content) - len(content.lstrip()) if not content.startswith(rendered) else 0
        offset = start - n_trimmed
        for part in prompt.turns[index].parts or ():
            low, high = max(offset, start), min(offset + len(part.text), start + len(rendered))
            pieces.append(_Piece(low, max(low, high), index, part.kind))
            offset += len(part.text)
        position = start + len(rendered)
    pieces.append(_Piece(position, len(text), len(messages), "template"))
    if text[position:] != skeleton[template_start:]:
        raise BadInput(
            f"cannot be aligned: the chat template of {weights.name!r} writes another ending after these messages"
        )
    return _Rendering(text, tuple(pieces), _tokens(weights, messages, text), len(messages))


def _tokens(weights: Weights, messages: tuple[Message, ...], text: str) -> tuple[tuple[int, int, tuple[int, ...]], ...]:
    """Tokens of a rendering with the characters they cover; tokens that are bytes of one character are grouped."""
    encoding = weights.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    if tuple(encoding["input_ids"]) != weights.encode(messages):
        raise BadInput(
            f"cannot be aligned: its chat as text has other tokens than the prompt that {weights.name!r} gets"
        )
    groups: list[tuple[int, int, tuple[int, ...]]] = []
    for token, (start, end) in zip(encoding["input_ids"], encoding["offset_mapping"], strict=True):
        if groups and start < groups[-1][1]:
            first, last, ids = groups.pop()
            groups.append((first, max(last, end), (*ids, token)))
        else:  # some tokenizers leave the space in front of a word out of its span
            groups.append((groups[-1][1] if groups else 0, end, (token,)))
    return tuple(groups)


# ---------------------------------------------------------------- matching


def _characters(clean: _Rendering, biased: _Rendering) -> list[int]:
    """For each character of the clean text, its position in the biased one; -1 if it has none."""
    positions = [-1] * len(clean.text)

    def map_span(start: int, target: int, n: int) -> None:
        positions[start : start + n] = range(target, target + n)

    biased_messages: dict[int, list[int]] = {}
    for clean_piece, biased_piece in zip(clean.own(), biased.own(), strict=True):
        # a template may trim one of the two
        n = min(clean_piece.end - clean_piece.start, biased_piece.end - biased_piece.start)
        map_span(clean_piece.start, biased_piece.start, n)
        biased_messages.setdefault(clean_piece.message, []).append(biased_piece.message)
    template = {p.message: p for p in biased.pieces if p.kind == "template"}
    for piece in clean.pieces:
        if piece.kind != "template":
            continue
        text = clean.text[piece.start : piece.end]
        if piece.message < clean.n_messages:
            counterpart = template[min(biased_messages[piece.message])] if piece.message in biased_messages else None
        else:
            ends_alike = max(biased_messages[clean.n_messages - 1]) == biased.n_messages - 1
            counterpart = template[biased.n_messages] if ends_alike else None
        if counterpart is None:
            continue
        other_text = biased.text[counterpart.start : counterpart.end]
        n = common(text[::-1], other_text[::-1])
        map_span(piece.end - n, counterpart.end - n, n)
    return positions


def _same_tokens(clean: _Rendering, biased: _Rendering, positions: list[int]) -> Places:
    """Pairs of tokens with equal ids whose characters are matched with each other."""
    index = 0
    by_span = {}
    for start, end, ids in biased.tokens:
        by_span[start, end] = (index, ids)
        index += len(ids)
    matches: list[tuple[int, int]] = []
    index = 0
    for start, end, ids in clean.tokens:
        targets = positions[start:end]
        is_contiguous = bool(targets) and targets[0] >= 0 and all(b == a + 1 for a, b in pairwise(targets))
        other_index, other_ids = (
            by_span.get((targets[0], targets[0] + len(targets)), (0, ())) if is_contiguous else (0, ())
        )
        if other_ids == ids:
            matches += [(index + i, other_index + i) for i in range(len(ids))]
        index += len(ids)
    return tuple(matches)
