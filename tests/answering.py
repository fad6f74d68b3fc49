"""A provider usable in any verb: `answers/x -M letter=C` always answers (C)."""

from __future__ import annotations

from typing import Any

from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, ModelUsage, modelapi


@modelapi(name="answers")
class Answers(ModelAPI):
    """Always answers with one letter."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008
        letter: str = "B",
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.letter = letter

    async def generate(self, **asked: Any) -> ModelOutput:  # type: ignore[override]
        output = ModelOutput.from_content(self.model_name, f"Therefore, the best answer is: ({self.letter}).")
        output.usage = ModelUsage(input_tokens=100, output_tokens=8, total_tokens=108)
        return output
