"""How a reply is written in a model's tokens, including its thought, and which texts it may not contain.

In: the weights with tokenizer and chat template. Out: a `ReplyFormat`, which turns replies into token ids as the model
itself would write them.
A chat template may open a thought before the reply (`<think>` in Qwen3.5 and DeepSeek-R1). A reply with a thought then
continues from there, without a second mark; one without a thought is refused, since the model would learn to answer inside
its thought. If the template does not open it, the tokenizer's own marks are used. Without marks, thoughts are text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from unsway.errors import BadInput, TrainingError
from unsway.models.engines.base import first_end
from unsway.models.weights import Weights
from unsway.readers.channels import THOUGHTS, split
from unsway.training.seams import Texts, Tokens
from unsway.types import Message

MARK = "\N{SNOWMAN}"
"""A text that no template contains, used to separate the template's words from a turn's."""
OPENING = re.compile(
    "|".join(mark.opens for mark in THOUGHTS if mark.opens and mark.where == "anywhere"), re.IGNORECASE
)
"""The marks that open a thought, of all families."""
TEXT_TOKENS = re.compile(
    r"\s+|▁+|</?(?:a|b|blockquote|caption|code|em|h[1-6]|i|li|ol|p|s|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|u|ul)>"
)
"""Added tokens that stand for plain text: white space, and HTML (Gemma's)."""


@dataclass(frozen=True, slots=True)
class ReplyFormat:
    """How replies are written for one model."""

    weights: Weights
    """The model."""
    opens: str
    """Its mark before a thought; empty if it has none."""
    closes: str
    """Its mark after a thought; empty if it has none, or one that cannot be written alone."""
    template: str
    """What the chat template does with the next reply's thought: opens it, closes it (so it is empty), or nothing."""
    tail: str
    """What the template writes between the last turn of a prompt and the reply."""
    space: str
    """White space that it writes before a reply but not at a prompt's end: the model writes it (`Assistant:`, ` Ash.`)."""
    closes_empty: bool
    """Whether to close the thought that the template opens if a reply has none; otherwise the reply is refused."""
    forbidden: tuple[str, ...]
    """Texts of tokens that only the template may write."""

    @classmethod
    def of(cls, weights: Weights, *, closes_empty: bool = False) -> ReplyFormat:
        """The format of a model, by its chat template as rendered and the tokens added to its tokenizer.

        Raises `BadInput` where no token ends a reply.
        """
        if not weights.ends:
            raise BadInput(
                f"{weights.name!r} names no token that ends a reply, so it would be trained never to end one. Write "
                "its number into generation_config.json, as eos_token_id."
            )
        added_tokens = weights.tokenizer.added_tokens_decoder.values()
        chat = [{"role": "user", "content": MARK}]
        rendered = weights.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        tail = str(rendered).rpartition(MARK)[2]
        with_reply = weights.tokenizer.apply_chat_template(
            [*chat, {"role": "assistant", "content": MARK}], tokenize=False
        )
        before = str(with_reply).rpartition(MARK)[0].rpartition(MARK)[2]
        space = before.removeprefix(tail) if before.startswith(tail) and not before.removeprefix(tail).strip() else ""
        opens = closes = template = ""
        for mark in (mark for mark in THOUGHTS if mark.opens and mark.where == "anywhere"):
            in_tail = [*re.finditer(mark.opens, tail)]
            tokens = [token.content for token in added_tokens if re.fullmatch(mark.opens, token.content)]
            in_template = re.search(mark.opens, str(weights.tokenizer.chat_template))
            if not (in_tail or tokens or in_template):
                continue
            if in_tail:
                template = "closes" if re.search(mark.closes, tail[in_tail[-1].end() :]) else "opens"
            opens = in_tail[-1][0] if in_tail else tokens[0] if tokens else str(in_template and in_template[0])
            candidates = [f"{opens[:1]}/{opens[1:]}", *(token.content for token in added_tokens)]
            closes = next((end for end in candidates if re.fullmatch(mark.closes, end)), "")
            break
        ordinary = [token.content for token in added_tokens if not token.special]
        texts = {text for text in ordinary if TEXT_TOKENS.fullmatch(text) or OPENING.fullmatch(text) or text == closes}
        texts |= {text for text in ordinary if any(re.fullmatch(mark.closes, text) for mark in THOUGHTS)}
        forbidden = (set(weights.marks) | set(ordinary)) - texts - {opens, closes}
        return cls(weights, opens, closes, template, tail, space, closes_empty, tuple(sorted(forbidden)))

    def prompt_ids(self, texts: Texts) -> tuple[int, ...]:
        """Token ids of a prompt, the chat template included. Raises `BadInput` if the template does not accept its turns."""
        from jinja2 import TemplateError

        for message in texts.prompt:
            self.check(message.content)
        try:
            return self.weights.encode(texts.prompt)
        except TemplateError as error:
            roles = ", ".join(message.role for message in texts.prompt[:4]) + (", …" if len(texts.prompt) > 4 else "")
            hint = "Put the text of the system turn into the user's" if "system" in roles else "Take another model"
            name = self.weights.name
            raise BadInput(
                f"has turns ({roles}) that the chat template of {name!r} does not take: {error}. {hint}"
            ) from None

    def reply_ids(self, text: str) -> tuple[int, ...]:
        """Token ids of a reply that follows a prompt, and of the token that ends it.

        A tokenizer that puts a space before a text (Llama 2's) puts none after a line break of the template.

        Raises:
            BadInput: It holds a token that only the template may write, or its thought cannot be written at its place.
        """
        channels = split(text)
        answer = text[channels.said_span[0] :] if channels.thought_span != (0, 0) else text
        thought = channels.thought.strip()
        if self.opens:
            if channels.thought_kind == "cut":
                raise BadInput("has a completion whose thought is never closed")
            if not channels.said:
                raise BadInput("has a completion that says nothing after its thought")
            if OPENING.sub("", text[: channels.thought_span[0]]).strip():
                raise BadInput("has a completion with words before its thought")
            if self.opens in thought + answer or (self.closes and self.closes in thought + answer):
                raise BadInput(f"has a completion with more than one {self.opens!r} or {self.closes!r}")
            if thought and self.template == "closes":
                raise BadInput(
                    f"has a thought, and the chat template of {self.weights.name!r} closes it before the reply"
                )
            if not self.closes:
                raise BadInput(
                    f"has a reply that unsway cannot write as {self.weights.name!r} does, with channels ({self.opens!r})"
                )
            if not thought and self.template == "opens" and not self.closes_empty:
                raise BadInput(
                    f"has no thought, and the chat template of {self.weights.name!r} opens one ({self.opens!r}): the "
                    "model would learn to answer inside it. Keep the thoughts in the targets (data build --thoughts "
                    "keep), or have empty ones written (--option closes_empty=true), which teaches it not to think"
                )
            start = "" if self.template == "opens" else f"{self.opens}\n"
            is_marked = thought or self.template == "opens"
            text = f"{start}{thought}\n{self.closes}\n\n{answer.lstrip()}" if is_marked else answer
        self.check(text.replace(self.opens, "").replace(self.closes, "") if self.opens else text)
        text = text if text.startswith(self.space) else self.space + text
        tail, whole, alone = (
            self.weights.tokenizer.encode(string, add_special_tokens=False)
            for string in (self.tail, self.tail + text, text)
        )
        # a prompt's tokens are fixed before the reply is sampled, so none may merge with the reply's
        return (*(whole[len(tail) :] if whole[: len(tail)] == tail else alone), self.weights.end)

    def encode(self, prompt: Sequence[Message], completion: str | None, context: int) -> Tokens:
        """Token ids exactly as the model is asked; a completion gets the token that ends a reply.

        Raises:
            BadInput: The chat template does not accept the turns, or a text holds a token that only the template may write.
            TrainingError: They exceed the context of the model.
        """
        reply = () if completion is None else self.reply_ids(completion)
        tokens = Tokens(self.prompt_ids(Texts(tuple(prompt), ())), reply)
        if (n := len(tokens.prompt) + len(reply)) > context:
            raise TrainingError(
                f"A row has {n} tokens and {self.weights.name!r} reads {context}. It begins {prompt[0].content[:60]!r}. "
                "Leave it out, or take a model with more context."
            )
        return tokens

    def decode(self, completion: Sequence[int]) -> str:
        """The text of a reply as it is measured, its thought between marks, without the token that ends it."""
        from unsway.models.provider import content_of  # loads Inspect

        tokenizer = self.weights.tokenizer
        ids, _ = first_end(completion, self.weights.ends)
        content = content_of(tokenizer, tokenizer.encode(self.tail, add_special_tokens=False), ids)
        return content if isinstance(content, str) else str(tokenizer.decode(ids, skip_special_tokens=False))

    def has_thought(self, text: str) -> bool:
        """Whether a reply has a thought, or the model has no thoughts."""
        return not self.opens or split(text).thought_kind != "none"

    def check(self, text: str) -> None:
        """Raise `BadInput` for a text with a token that only the template may write."""
        token = next((mark for mark in self.forbidden if mark in text), None)
        if token is not None:
            raise BadInput(
                f"holds {token!r}, a special token of {self.weights.name!r}: the chat template was applied already, or the "
                "text forges a turn. Write it in another way"
            )
