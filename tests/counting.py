"""A provider for studies in several processes, which notes each call in a file.

`counting/x -M log=FILE -M seconds=0.01`: a row of the file for each call: model, prompt's hash, process, GPUs that it sees.
`install(FOLDER)` makes it and the back-end of `counted.py` plug-ins of every Python with the folder in its path.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, ModelUsage, modelapi

from unsway.seeds import content_id


@modelapi(name="counting")
class Counting(ModelAPI):
    """Answers by the hash of what it is asked."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008
        log: str = "",
        seconds: float = 0.0,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.log, self.seconds = log, seconds

    async def generate(self, input: list[Any], **asked: Any) -> ModelOutput:  # type: ignore[override]
        key = content_id([message.text for message in input])
        if self.log:
            with Path(self.log).open(
                "a"
            ) as file:  # a single write of a short line, so appends of several processes stay whole
                gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "all")
                file.write(f"{self.model_name} {key} {os.getpid()} {gpus}\n")
        if self.seconds:
            await asyncio.sleep(self.seconds)
        output = ModelOutput.from_content(
            self.model_name, f"Therefore, the best answer is: ({'AB'[int(key, 16) % 2]})."
        )
        output.usage = ModelUsage(input_tokens=100, output_tokens=8, total_tokens=108)
        return output

    def max_connections(self) -> int:
        return 20


def install(folder: Path) -> None:
    """Write the entry points by which Inspect and unsway find this module."""
    about = folder / "counting-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: counting\nVersion: 1\n")
    (about / "entry_points.txt").write_text(
        "[inspect_ai]\ncounting = counting\n[unsway.plugins]\ncounted = counted_plugin\n"
    )
