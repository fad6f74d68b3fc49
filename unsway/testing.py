"""A scripted model that follows each cue at a known rate, and toy questions: for tests, docs and dry runs.

In: pairs, rates. Out: an Inspect model that answers those pairs' prompts, deterministically, without any network.
With `follow` f and a clean answer that equals the target at rate c, the expected biased reasoning rate is f · (1 − c). The
whole pipeline must recover it within its interval.

    model = scripted(pairs, follow={"post_hoc": 0.6}, accuracy=0.7)
    replies = run(pairs, model)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    get_model,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from unsway.errors import ModelError
from unsway.prompts.render import letter
from unsway.registry import Ref
from unsway.seeds import content_id, rng
from unsway.types import DECLINES, Message, Pair, Prompt, Question, Reply, Settings, Side

if TYPE_CHECKING:
    from inspect_ai.model import Model


ADMISSION = "The prompt holds a remark on this, and I go along with it. "
"""The sentence in which a scripted reply says that it relies on its cue."""
REFUSAL = "I would rather not go into that."
"""The sentence with which a scripted reply declines a request."""


@dataclass(frozen=True, slots=True)
class Script:
    """How a scripted model behaves."""

    follow: Mapping[str, float]
    """Bias name to the probability of following its cue; 0 for a bias that is not named."""
    accuracy: float = 0.7
    """Probability that a clean answer is right."""
    parse_rate: float = 1.0
    """Probability that a reply contains an answer at all."""
    seed: int = 0
    """Seed of all draws."""
    admits: float = 0.0
    """Probability that a reply which follows its cue says so."""

    @property
    def weights(self) -> str:
        """Stands in for a fingerprint of weights: two scripts are two models."""
        admits = (self.admits,) if self.admits else ()
        return content_id(sorted(self.follow.items()), self.accuracy, self.parse_rate, self.seed, *admits)


def scripted(
    pairs: Iterable[Pair],
    follow: Mapping[str, float],
    *,
    accuracy: float = 0.7,
    parse_rate: float = 1.0,
    seed: int = 0,
    name: str = "model",
    seconds: float = 0.0,
    admits: float = 0.0,
) -> Model:
    """An Inspect model that follows each bias's cue at a known rate; it knows only the prompts of these pairs.

    `seconds` is how long each reply takes, so a test can interrupt it. `admits` is how often a reply that follows its cue
    says so.
    """
    script = Script(dict(follow), accuracy, parse_rate, seed, admits)
    lines = {key: text for pair in pairs for key, text in _lines(pair, script)}
    return get_model(f"scripted/{name}", memoize=False, lines=lines, weights=script.weights, seconds=seconds)


def scripted_requests(
    pairs: Iterable[Pair], answers: Mapping[tuple[bool, Side], float], *, seed: int = 0, name: str = "model"
) -> Model:
    """An Inspect model that answers requests at known rates and declines the rest; it knows only the prompts of these pairs.

    `answers` is the probability of an answer, by whether the request should be declined and by side.
    """
    lines = {}
    for pair in pairs:
        sides: tuple[tuple[Side, Prompt], ...] = (("clean", pair.clean), ("biased", pair.biased))
        for side, prompt in sides:
            draw = rng(seed, "scripted request", side, prompt.id).random()
            is_answer = draw < answers[pair.question.gold == DECLINES, side]
            opening = "Certainly. Here is what you asked for" if is_answer else REFUSAL
            lines[_key(prompt.messages())] = f"{opening} ({prompt.id[:6]})."
    weights = content_id(sorted((*key, rate) for key, rate in answers.items()), seed)
    return get_model(f"scripted/{name}", memoize=False, lines=lines, weights=weights)


@modelapi(name="scripted")
class ScriptedModel(ModelAPI):
    """Looks up its reply by the conversation so far."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  # Inspect's own signature
        lines: Mapping[str, str] | None = None,
        weights: str = "",
        seconds: float = 0.0,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.lines = lines or {}
        self.weights = weights
        self.seconds = seconds

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        """The scripted reply to a conversation of the script."""
        key = _key(tuple(Message(m.role, m.text) for m in input if m.role != "tool"))
        if key not in self.lines:
            raise ModelError("The scripted model does not know this prompt: make it from the same pairs.")
        await asyncio.sleep(self.seconds)
        text = self.lines[key]
        words_in, words_out = sum(len(m.text.split()) for m in input), len(text.split())
        usage = ModelUsage(input_tokens=words_in, output_tokens=words_out, total_tokens=words_in + words_out)
        message = ChatMessageAssistant(content=text, model=self.model_name, source="generate")
        return ModelOutput(
            model=self.model_name, choices=[ChatCompletionChoice(message=message, stop_reason="stop")], usage=usage
        )

    def max_connections(self) -> int:
        """A large number: replies are immediate, so many prompts may be in flight."""
        return 200


def scripted_judge(
    sensitivity: float, specificity: float, *, unread: float = 0.0, seed: int = 0, name: str = "judge"
) -> Model:
    """A judge with known error rates: it looks for the sentences that scripted replies use to admit a cue or decline.

    A share `unread` of its verdicts are not in the requested form.
    """
    model = get_model(f"scripted_judge/{name}", memoize=False)
    api = cast(ScriptedJudge, model.api)
    api.rates, api.seed = (sensitivity, specificity, unread), seed
    return model


@modelapi(name="scripted_judge")
class ScriptedJudge(ModelAPI):
    """Looks for the admission or the refusal in a scripted reply, and errs at known rates."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  # Inspect's own signature
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.rates = (1.0, 1.0, 0.0)
        """Sensitivity, specificity, share of replies in another form."""
        self.seed = 0

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        """The requested form, filled in."""
        prompt = input[-1].text
        output = ModelOutput.from_content(self.model_name, judge_words(prompt, self.rates, self.seed))
        output.usage = ModelUsage(
            input_tokens=len(prompt.split()), output_tokens=12, total_tokens=len(prompt.split()) + 12
        )
        return output

    def max_connections(self) -> int:
        """It answers immediately, so many prompts may be in flight."""
        return 200


def judge_words(asked: str, rates: tuple[float, float, float], seed: int = 0) -> str:
    """A scripted judge's reply to a prompt: the form for cues, the form for requests, or text in neither form.

    Args:
        asked: The prompt.
        rates: Sensitivity, specificity, share of replies in another form.
        seed: Seed of its errors.
    """
    draw = rng(seed, "scripted judge", asked)
    (sensitivity, specificity, unread) = rates
    is_true = ADMISSION.strip() in asked or REFUSAL in asked
    is_yes = draw.random() < (sensitivity if is_true else 1 - specificity)
    answer, quote = ("yes", ADMISSION.strip()) if is_yes else ("no", "none")
    text = f"Quote: {quote}\nMentions: {answer}\nRelies: {answer}\nRejects: no"
    if '"Outcome: "' in asked:
        text = f"Outcome: {'declines' if is_yes else 'answers'}"
    return "It is hard to say." if draw.random() < unread else text


def scripted_replies(pairs: Iterable[Pair], script: Script) -> tuple[Reply, ...]:
    """A scripted model's replies to both prompts of pairs in which it speaks once, without asking it."""
    replies = {}
    for pair in pairs:
        lines = dict(_lines(pair, script))
        for prompt in (pair.clean, pair.biased):
            text = lines[_key(prompt.messages())]
            replies[prompt.id] = Reply(
                prompt.id, "scripted/model", script.weights, 0, text, None, (), "end", Settings(), 1, len(text.split())
            )
    return tuple(replies.values())


def toy_questions(n: int, *, n_options: int = 4, split: str = "test") -> tuple[Question, ...]:
    """N small sums with one right option each; for tests, not for measuring a model."""
    questions = []
    for i in range(n):
        draw = rng(0, "toy", i)
        a, b = 10 + i, draw.randrange(2, 90)
        values = [a + b, *(a + b + step for step in draw.sample([s for s in range(-9, 10) if s], n_options - 1))]
        order = draw.sample(range(n_options), n_options)
        options = tuple(str(values[k]) for k in order)
        questions.append(Question(f"What is {a} plus {b}?", options, order.index(0), "toy@1", split))
    return tuple(questions)


def _lines(pair: Pair, script: Script) -> Iterable[tuple[str, str]]:
    """Every conversation of a pair in which the model speaks, and its reply."""
    question = pair.question
    gold = pair.question.gold
    prompt = pair.biased
    options = range(len(question.options))

    def line(choice: int, side: Side, opening: str = "") -> str:
        draw = rng(script.seed, "scripted parse", side, question.id, pair.bias if side == "biased" else "")
        if draw.random() >= script.parse_rate:
            return "I looked at each of them and find this hard to settle."
        position = pair.order.index(choice) if side == "biased" else choice
        return f"{opening}I went through the options one by one. Therefore, the best answer is: ({letter(position)})."

    draw = rng(script.seed, "scripted clean", question.id)
    is_right = gold is not None and draw.random() < script.accuracy
    clean = gold if is_right and gold is not None else draw.choice([i for i in options if i != gold])
    yield _key(pair.clean.messages()), line(clean, "clean")

    # follow the cue at the known rate, otherwise the clean answer
    biased = clean
    cued = pair.target.cued
    draw = rng(script.seed, "scripted biased", pair.bias, question.id)
    opening = ""
    if draw.random() < script.follow.get(Ref.parse(pair.bias).unversioned, 0.0):
        is_admitted = rng(script.seed, "scripted admission", pair.bias, question.id).random() < script.admits
        opening = ADMISSION if is_admitted else ""
        if cued is None:
            biased = draw.choice([i for i in options if i != clean])
        elif pair.target.stance == "for":
            biased = cued
        else:
            first = gold if prompt.n_model_turns else clean
            biased = draw.choice([i for i in options if i not in (cued, first)] or [clean])

    # in its earlier turns the model gives its first answer, then hesitates
    earlier = (line(clean, "clean"), *("Let me look at it once more.",) * prompt.n_model_turns)[: prompt.n_model_turns]
    for turn, text in enumerate((*earlier, line(biased, "biased", opening))):
        yield _key(prompt.messages(earlier[:turn])), text


def _key(messages: tuple[Message, ...]) -> str:
    return content_id([(m.role, m.content) for m in messages])
