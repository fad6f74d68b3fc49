"""Rows of providers and other harnesses as our rows: one table of where each stores its fields.

In: a row of a file. Out: our rows inside it, one per reply; a row of unknown shape becomes one row with its own fields.
A path consists of names and numbers joined by dots. A path that begins with a dot starts at the reply, of which a row
may have several. Sources: the providers' references of their batch files, and the output of each harness.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from unsway.importing.words import rename_fields


class Shape(BaseModel):
    """Where one kind of row stores each field."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    writes: str
    """The program that writes it."""
    needs: tuple[str, ...]
    """Paths by which it is recognised; all must exist."""
    each: str = ""
    """The list with one element per reply; empty if the row is one reply."""
    inside: tuple[str, ...] = ()
    """Objects whose fields count as fields of the row."""
    fields: Mapping[str, tuple[str, ...]] = {}
    """Our fields, with the paths where they may be; the first existing path is used."""
    is_repeated: bool = False
    """Whether several rows may hold the same reply; then its number in the row is its sample number."""

    def is_of(self, row: Mapping[str, Any]) -> bool:
        """Whether a row has this shape."""
        return all(at(row, path) is not None for path in self.needs)


BODIES: tuple[Shape, ...] = (
    Shape(
        writes="OpenAI's chat completions, and every server that speaks them",
        needs=("choices.0.message",),
        each="choices",
        fields={
            "reply": (".message.content", ".message.refusal"),
            "reasoning": (".message.reasoning_content", ".message.reasoning", ".message.reasoning_details"),
            "stop": (".finish_reason",),
            "reported_model": ("model",),
            "reasoning_tokens": ("usage.completion_tokens_details.reasoning_tokens",),
            "asked_on": ("created",),
        },
    ),
    Shape(
        writes="OpenAI's completions",
        needs=("choices.0.text", "object"),
        each="choices",
        fields={
            "reply": (".text",),
            "stop": (".finish_reason",),
            "reported_model": ("model",),
            "asked_on": ("created",),
        },
    ),
    Shape(
        writes="OpenAI's responses",
        needs=("output.0.type",),
        fields={
            "reply": ("output",),
            "stop": ("incomplete_details.reason", "status"),
            "reported_model": ("model",),
            "reasoning_tokens": ("usage.output_tokens_details.reasoning_tokens",),
            "asked_on": ("created_at",),
        },
    ),
    Shape(
        writes="Anthropic",
        needs=("content.0.type", "stop_reason"),
        fields={"reply": ("content",), "stop": ("stop_reason",), "reported_model": ("model",)},
    ),
    Shape(
        writes="Google's Gemini",
        needs=("candidates.0.content",),
        each="candidates",
        fields={
            "reply": (".content.parts",),
            "stop": (".finishReason", ".finish_reason"),
            "reported_model": ("modelVersion", "model_version"),
            "reasoning_tokens": ("usageMetadata.thoughtsTokenCount", "usage_metadata.thoughts_token_count"),
        },
    ),
    Shape(
        writes="Bedrock's converse",
        needs=("output.message.content", "stopReason"),
        fields={"reply": ("output.message.content",), "stop": ("stopReason",)},
    ),
    Shape(
        writes="vLLM and SGLang offline",
        needs=("outputs.0.text",),
        each="outputs",
        fields={"reply": (".text",), "stop": (".finish_reason",), "question_id": ("request_id",)},
    ),
    Shape(
        writes="Ollama",
        needs=("message.content", "done"),
        fields={"reply": ("message.content",), "reasoning": ("message.thinking",), "stop": ("done_reason",)},
    ),
)
"""The answers of providers and servers. An answer may be the whole row, or inside one of the objects in `PLACES`."""
PLACES = (
    "response.body",
    "response",
    "result.message",
    "model_output",
    "completion",
    "output",
    "result",
    "raw_response",
    "raw",
)
"""Where the answer is in lines of batch files and in rows that people write around an answer."""
FAILED = ("error", "result.error", "response.error", "response.body.error")
"""Fields that a batch file's line has only if the call failed; then there is no reply."""
TEXTS = ("text", "thinking", "content", "refusal")
"""Where a part of a message stores its text."""
HARNESSES: tuple[Shape, ...] = (
    Shape(
        writes="lm-evaluation-harness, --log_samples",
        needs=("doc", "resps"),
        each="resps.0",
        inside=("doc",),
        is_repeated=True,
        fields={
            "question_id": ("doc_id",),
            "gold": ("target",),
            "reply": (".",),
            "prompt": ("arguments.gen_args_0.arg_0", "arguments.0.0"),
        },
    ),
    Shape(
        writes="HELM, scenario_state.json",
        needs=("request_states",),
        each="request_states",
        inside=(".instance.extra_data",),
        fields={
            "question_id": (".instance.id",),
            "model": (".request.model", "adapter_spec.model"),
            "prompt": (".request.prompt",),
            "options": (".output_mapping",),
            "gold": (".instance.references",),
            "arm": (".instance.perturbation",),
            "bias": (".instance.perturbation.name",),
            "reply": (".result.completions.0.text",),
            "reasoning": (".result.completions.0.thinking.text",),
            "stop": (".result.completions.0.finish_reason.reason",),
            "sample": (".train_trial_index",),
        },
    ),
    Shape(
        writes="lighteval, --save-details",
        needs=("doc.query", "model_response"),
        each="model_response.text",
        inside=("doc.specific", "doc"),
        fields={"question_id": ("doc.id",), "prompt": ("doc.query",), "reply": (".",), "gold": ("doc.gold_index",)},
    ),
    Shape(
        writes="lighteval before 0.10",
        needs=("full_prompt", "predictions"),
        each="predictions",
        inside=("specifics",),
        fields={"reply": (".",), "prompt": ("full_prompt",), "gold": ("gold_index", "gold")},
    ),
    Shape(
        writes="cot-transparency",
        needs=("outputs.0.task_spec",),
        each="outputs",
        fields={
            "question_id": (".task_spec.task_hash",),
            "source": (".task_spec.task_name",),
            "model": (".task_spec.inference_config.model", ".task_spec.model_config.model"),
            "gold": (".task_spec.ground_truth",),
            "target": (".task_spec.biased_ans",),
            "bias": (".task_spec.formatter_name",),
            "prompt": (".task_spec.messages",),
            "sample": (".task_spec.repeat_idx",),
            "reply": (".inference_output.raw_response", ".model_output.raw_response"),
        },
    ),
    Shape(
        writes="cot-transparency, an output a row",
        needs=("task_spec.task_hash",),
        fields={
            "question_id": ("task_spec.task_hash",),
            "source": ("task_spec.task_name",),
            "model": ("task_spec.inference_config.model", "task_spec.model_config.model"),
            "gold": ("task_spec.ground_truth",),
            "target": ("task_spec.biased_ans",),
            "bias": ("task_spec.formatter_name",),
            "prompt": ("task_spec.messages",),
            "sample": ("task_spec.repeat_idx",),
            "reply": ("inference_output.raw_response", "model_output.raw_response"),
        },
    ),
    Shape(
        writes="promptfoo",
        needs=("results.results",),
        each="results.results",
        inside=(".vars", ".testCase.metadata"),
        fields={
            "question_id": (".vars.question_id", ".vars.id", ".testIdx"),
            "model": (".provider.id",),
            "prompt": (".prompt.raw",),
            "reply": (".response.output",),
            "stop": (".response.finishReason",),
        },
    ),
)
"""The rows of harnesses, one for each question."""
PLAIN = Shape(writes="everybody else", needs=())
"""A row whose own fields are used."""


def rows_of(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Our rows inside a row, one per reply; a failed call is a row without a reply."""
    bodies = [("", row, (*HARNESSES, *BODIES)), *((place, at(row, place), BODIES) for place in PLACES)]
    matches = (
        (place, shape)
        for place, body, shapes in bodies
        if isinstance(body, Mapping)
        for shape in shapes
        if shape.is_of(body)
    )
    place, shape = next(matches, ("", PLAIN))
    used_names = (
        {path.split(".")[0] for paths in shape.fields.values() for path in paths}
        if not place
        else {place.split(".")[0]}
    )
    own: dict[str, Any] = {}
    for metadata in (
        at(row, "metadata"),
        at(row, "request.body.metadata"),
        {key: row[key] for key in row if key not in used_names},
    ):
        own |= rename_fields(metadata) if isinstance(metadata, Mapping) else {}
    code = at(row, "response.status_code")
    result = at(row, "result.type")
    if (
        any(at(row, path) for path in FAILED)
        or (isinstance(code, int) and code >= 400)
        or result in ("canceled", "expired")
    ):
        yield own | {"reply": None}
        return
    body = at(row, place)
    content = at(body, shape.each) if shape.each else [body]
    elements = content if isinstance(content, list) else [content]
    for number, element in enumerate(elements):
        fields: dict[str, Any] = {}
        for inner_path in shape.inside:
            inner = at(element if inner_path[0] == "." else body, inner_path)
            fields |= rename_fields(inner) if isinstance(inner, Mapping) else {}
        fields |= own
        for field, paths in shape.fields.items():
            values = (at(element if path[0] == "." else body, path) for path in paths)
            value = next((value for value in values if value is not None), None)
            if value is not None and not (place and field in own):
                fields[field] = value
        if shape.is_repeated or (len(elements) > 1 and "sample" not in fields):
            fields["sample"] = number
        yield as_texts({"reply": None} | fields if shape is not PLAIN else fields)


def as_texts(row: dict[str, Any]) -> dict[str, Any]:
    """A row with reply, reasoning, prompt, right option and day as plain values instead of providers' lists of parts."""
    plain_row = dict(row)
    reply = row.get("reply")
    parts = {name: _objects(row.get(name)) for name in ("reply", "reasoning", "prompt", "gold")}
    if isinstance(reply, Mapping):  # a chat message
        plain_row["reply"] = reply.get("content", reply.get("text"))
    elif isinstance(reply, list) and len(reply) == 1 and isinstance(reply[0], str):
        plain_row["reply"] = reply[0]
    elif parts["reply"]:
        plain_row |= _reply_and_reasoning(parts["reply"])
    if parts["reasoning"]:
        plain_row["reasoning"] = "\n".join(
            str(part.get("text") or part.get("summary") or "") for part in parts["reasoning"]
        )
    if parts["prompt"]:
        texts = [str(turn.get("content") or turn.get("prompt") or "") for turn in parts["prompt"]]
        roles = [f"{turn.get('role', '')}: " if len(texts) > 1 else "" for turn in parts["prompt"]]
        plain_row["prompt"] = "\n\n".join(role + text for role, text in zip(roles, texts, strict=True))
    if parts["gold"]:  # references, of which the right ones have a tag
        right = [at(reference, "output.text") for reference in parts["gold"] if "correct" in str(reference.get("tags"))]
        plain_row["gold"] = right if len(right) > 1 else next(iter(right), None)
    if isinstance(row.get("asked_on"), int) and 0 < row["asked_on"] < 2**32:
        plain_row["asked_on"] = datetime.fromtimestamp(row["asked_on"], UTC).date().isoformat()
    return plain_row


def _objects(value: object) -> list[Mapping[str, Any]]:
    """A list of objects; an empty list for anything else."""
    return value if isinstance(value, list) and all(isinstance(element, Mapping) for element in value) else []


def _reply_and_reasoning(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The reply, the reasoning and whether it is hidden, from the parts of a message."""
    reply = ""
    thoughts = []
    is_hidden = False
    for part in parts:
        kind = str(part.get("type", ""))
        text = next((part[key] for key in TEXTS if isinstance(part.get(key), str)), "")
        for item in _objects(part.get("content")):  # inside an output item of OpenAI's responses
            text += str(item.get("text") or item.get("refusal") or "")
        if kind in ("thinking", "reasoning", "redacted_thinking") or part.get("thought") or "reasoningContent" in part:
            summary = "\n".join(str(item.get("text", "")) for item in _objects(part.get("summary")))
            readable = (
                summary or at(part, "reasoningContent.reasoningText.text") or ("" if "redacted" in kind else text)
            )
            thoughts += [str(readable)] if readable else []
            is_hidden = is_hidden or not readable
        else:
            reply += text
    hidden = {"thought_kind": "hidden"} if is_hidden and not thoughts else {}
    return {"reply": reply} | hidden | ({"reasoning": "\n".join(thoughts)} if thoughts else {})


def at(row: Any, path: str) -> Any:
    """The value at a path; None if there is none."""
    for step in filter(None, path.split(".")):
        if isinstance(row, Mapping):
            row = row.get(step)
        elif isinstance(row, list) and step.isdigit():
            row = row[int(step)] if int(step) < len(row) else None
        else:
            return None
    return row
