"""The fast engine for CPUs: OpenVINO GenAI's continuous batching with prefix caching, with a GGUF of the same weights.

In: `Weights` (an adapter is merged first). Out: replies as they finish. Computes in float32 with float16 weights: 61 of 64
greedy replies of the embedded model are token-identical to the torch engine's, at about three times its speed.
With prefix caching, the shared text of a question's clean and biased prompts, and the demos shared by all, is read once.

A sampled reply is bit-identical in any batch, because three sources of batch-dependent rounding are avoided. Keys and values
in 8 bits, OpenVINO's default, moved log-probabilities of the embedded model by 2e-4 on average: 14 of 20 replies changed when
each was asked alone. Steps of a single row, which use another kernel, moved them by 5e-6. So an extra dummy sequence, the
companion, runs alongside the replies. Cached prefixes moved them by 4e-7, so sampling does without.
"""

from __future__ import annotations

import os
import re
import sys
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache, reduce
from importlib.util import find_spec
from operator import add, or_
from pathlib import Path
from shutil import rmtree
from typing import Any, TypeAlias

from unsway.assets import cache_folder
from unsway.disk import partial_folder
from unsway.errors import ModelError
from unsway.extras import requires
from unsway.models.engines.base import Engine, Generation, Pending, Request, engines, first_end
from unsway.models.engines.gguf_export import FORM, TOKENIZER_FROM, exported, unfit
from unsway.models.engines.prefixes import Prefixes, blocks
from unsway.models.weights import Dtype, Weights
from unsway.seeds import content_id

CACHE_GB = 2
"""Gigabytes of keys and values for prefixes and running replies: about 45,000 tokens of a 135M model in float32."""

AT_ONCE = 64
"""Most replies that run at once."""
COMPANION = 400
"""Length of a companion in tokens; when it ends, the next one starts."""
MOST_OFF = 0.05
"""Largest relative error of a product: bfloat16 rounds to 0.3 % of it."""
PRECISIONS: dict[Dtype, str] = {"float32": "f32", "bfloat16": "bf16"}
"""OpenVINO's names for its compute precisions; the weights are float16 either way."""

_Pending: TypeAlias = tuple[Request, Future[Generation], tuple[int, ...]]
"""A waiting request, the future of its reply, and the blocks of its prompt."""

MISREAD = re.compile("[\x80-\xff][0-9a-fA-F]")
"""Text that its grammar misreads as a different character: "°C" is escaped as \\xb0C on the way. A hosted service was seen
to do the same (xai-org/xai-sdk-python#128)."""

_tokenizers: dict[str, Any] = {}
"""The latest tokenizer, by its origin; arms share it."""


def genai() -> Any:
    """Import OpenVINO GenAI, without its telemetry: it would report the import to its maker unless the user opted out."""
    with requires("openvino", "The openvino engine"):
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
        import openvino_genai
    return openvino_genai


def unsound(dtype: Dtype) -> str | None:
    """Why OpenVINO cannot be trusted with a precision on this machine; None if it can.

    With a single CPU, it crashes with a division by zero in bfloat16 (openvinotoolkit/openvino#33300). On a CPU with bfloat16
    but without AMX, its products were seen to be wrong by whole factors (#38256), so one product is compared with NumPy's.
    """
    if dtype == "float32":
        return None
    if usable_cpus() == 1:
        return f"in {dtype} on a single CPU it dies of a division by zero (openvinotoolkit/openvino#33300)"
    error = error_of_a_product(dtype)
    return f"its products in {dtype} are off by {error:.0%} on this CPU" if error > MOST_OFF else None


def usable_cpus() -> int:
    """The number of CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache
def error_of_a_product(dtype: Dtype) -> float:
    """The relative error (by norm) of OpenVINO's product of two matrices."""
    import numpy as np

    genai()
    import openvino
    from openvino import opset13

    generator = np.random.default_rng(0)
    rows_MK = generator.standard_normal((64, 256), np.float32)
    weights_NK = generator.standard_normal((256, 256), np.float32)
    input_node = opset13.parameter([-1, 256], np.float32)
    product = opset13.matmul(input_node, opset13.constant(weights_NK), False, True)
    properties = {"INFERENCE_PRECISION_HINT": PRECISIONS[dtype]}
    product_MN = openvino.compile_model(openvino.Model([product], [input_node]), "CPU", properties)(rows_MK)[0]
    exact_MN = rows_MK @ weights_NK.T
    return float(np.linalg.norm(product_MN - exact_MN) / np.linalg.norm(exact_MN))


def read_tokenizer(path: Path, made_of: str) -> Any:
    """The tokenizer of a GGUF. Making one takes two seconds, so it is stored in the cache in OpenVINO's format."""
    openvino_genai = genai()
    folder = cache_folder() / "tokenizers" / content_id(made_of, FORM, openvino_genai.__version__)
    if folder.is_dir():
        with suppress(RuntimeError):  # a damaged one, which is then replaced
            return openvino_genai.Tokenizer(str(folder))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with partial_folder(folder.parent) as staging:
            link = staging / path.name
            link.symlink_to(path.resolve())
            tokenizer = openvino_genai.Tokenizer(str(link), enable_save_ov_model=True)  # next to the link
            link.unlink()
            for file in staging.iterdir():
                with file.open("rb+") as stream:
                    os.fsync(stream.fileno())
            rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # another process was faster
                staging.rename(folder)
        return tokenizer
    except OSError:  # a cache owned by others, or no support for links
        return openvino_genai.Tokenizer(str(path))


def exactly(text: str) -> Any:
    """A grammar for one text, in pieces that end after non-ASCII characters, so that no piece is `MISREAD`."""
    return reduce(add, map(genai().StructuredOutputConfig.ConstString, re.findall(r"[\x00-\x7f]+|[^\x00-\x7f]+", text)))


class OpenVinoEngine(Engine):
    """Generates with OpenVINO GenAI on the CPU."""

    name = "openvino"
    can_choose = True
    most_waiting = 256

    def __init__(self, weights: Weights, dtype: Dtype = "float32") -> None:
        super().__init__(weights, dtype)
        reason = unfit(weights) or unsound(dtype)
        if reason:
            raise ModelError(f"The openvino engine cannot run {weights.name!r}: {reason}. Use engine='torch'.")
        genai()
        self.ends, self.precision, self.path = weights.ends, PRECISIONS[dtype], exported(weights)
        self.tokenizer_of = content_id(*((weights.folder / name).read_text("utf-8") for name in TOKENIZER_FROM))
        self.pipe: Any = None
        self._samples: bool | None = None
        """Whether the loaded pipeline is the one for sampled replies; None if none is loaded."""
        self._companion: Any = None
        self._next_id = 0
        self._pending: deque[_Pending] = deque()
        self._running: dict[int, tuple[Any, Future[Generation]]] = {}
        self._prefixes: Prefixes[int] = Prefixes()

    @classmethod
    def rank(cls, weights: Weights, dtype: Dtype = "float32") -> int:
        """Above torch if it is installed, can run the weights in this precision, and there is no GPU."""
        if find_spec("openvino_genai") is None:
            return 0
        import torch

        return 2 if not torch.cuda.is_available() and unfit(weights) is None and unsound(dtype) is None else 0

    def submit(self, request: Request) -> Future[Generation]:
        """As for every engine; also raises `ModelError` if it would not recognise the words before an ending."""
        if MISREAD.search(request.after):
            raise ModelError(
                f"The openvino engine reads {request.after!r} as other words, because a digit or one of a to f follows "
                "a letter or sign like é or °. Use engine='torch', or other words for options_after."
            )
        return super().submit(request)

    def serve(self, requests: list[Pending]) -> None:
        """Step the pipeline until it is idle: start requests that arrive meanwhile, and deliver finished replies."""
        openvino_genai = genai()
        running, stopped = openvino_genai.GenerationStatus.RUNNING, openvino_genai.GenerationFinishReason.STOP
        try:
            self._start(requests)
            while self._running or self._pending:
                if self._companion is None or self._companion.get_status() != running:
                    self._companion = self._add(Request((min(self.ends),) * 2, COMPANION, 0.0, 1.0, 0), ignore_eos=True)
                self.pipe.step()
                for key in self._prefixes.reading:
                    if self._running[key][0].can_read():  # its first token exists, so its prompt has been read
                        self._prefixes.done(key)
                for key, (handle, result) in list(self._running.items()):
                    if handle.get_status() == running:
                        continue
                    output = handle.read_all()[0]
                    tokens, stop = first_end(list(output.generated_ids), self.ends)
                    result.set_result(Generation(tokens, "end" if output.finish_reason == stopped else stop))
                    del self._running[key]
                    self._prefixes.done(key)
                self._start(self.waiting(block=False) or [])
            if self._companion is not None:
                self._companion.cancel()
                while self.pipe.has_non_finished_requests():
                    self.pipe.step()
        except BaseException as error:
            for result in (*(r for _, r in self._running.values()), *(r for _, r, _ in self._pending)):
                result.set_exception(error)
            self._running.clear()
            self._pending.clear()
            self.free()
            raise

    def free(self) -> None:
        """Release the pipeline and its cache."""
        self.pipe = self._companion = self._samples = None

    def _start(self, requests: list[Pending]) -> None:
        """Queue requests, and start those that may start; if nothing runs, the first one always may."""
        for request, result in requests:
            self._pending.append((request, result, () if request.temperature else blocks(request.tokens)))
        held_back: deque[_Pending] = deque()
        while self._pending and len(self._running) < AT_ONCE:
            request, result, prompt_blocks = self._pending.popleft()
            samples = request.temperature > 0
            if samples != self._samples and not self._running:
                self._load(samples)
            if samples != self._samples or not self._prefixes.may_start(prompt_blocks):
                held_back.append((request, result, prompt_blocks))
                continue
            number = self._next_id
            self._running[number] = (self._add(request), result)
            self._prefixes.start(number, prompt_blocks)
        self._pending.extendleft(reversed(held_back))

    def _load(self, samples: bool) -> None:
        """Load the pipeline for greedy or for sampled replies, replacing the other one."""
        openvino_genai = genai()
        self.pipe = self._companion = None
        tokenizer = _tokenizers.get(self.tokenizer_of)
        if tokenizer is None:
            _tokenizers.clear()
            tokenizer = _tokenizers[self.tokenizer_of] = read_tokenizer(self.path, self.tokenizer_of)
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.cache_size = CACHE_GB
        scheduler.enable_prefix_caching = not samples
        scheduler.max_num_seqs = AT_ONCE + 1
        scheduler.max_num_batched_tokens = 2048
        properties: dict[str, Any] = dict.fromkeys(("INFERENCE_PRECISION_HINT", "KV_CACHE_PRECISION"), self.precision)
        # OpenVINO's own threads ignore the variable; with one thread it crashes in bfloat16, as with one CPU
        if "OMP_NUM_THREADS" in os.environ:
            import torch

            properties["INFERENCE_NUM_THREADS"] = max(torch.get_num_threads(), 1 if self.precision == "f32" else 2)
        self.pipe = openvino_genai.ContinuousBatchingPipeline(str(self.path), tokenizer, scheduler, "CPU", **properties)
        self._samples, self._prefixes = samples, Prefixes()

    def _add(self, request: Request, *, ignore_eos: bool = False) -> Any:
        """Add a request to the pipeline under the next number; it samples from its own seed, whatever else runs."""
        import numpy as np
        import openvino

        openvino_genai = genai()
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens, config.ignore_eos = request.max_tokens, ignore_eos
        config.eos_token_id = -1 if ignore_eos else min(self.ends)  # one end token, which must be a stop too
        config.stop_token_ids = set() if ignore_eos else set(self.ends)
        config.do_sample = request.temperature > 0
        if request.endings:
            structured = openvino_genai.StructuredOutputConfig
            reply = one_of = reduce(or_, map(exactly, request.endings))
            if request.after:
                reply = structured.TriggeredTags(
                    [request.after], [structured.Tag(request.after, one_of, "")], stop_after_first=True
                )
            config.structured_output_config = structured(structural_tags_config=reply)
        if config.do_sample:
            config.temperature, config.top_p, config.rng_seed = request.temperature, request.top_p, request.seed
        self._next_id += 1
        return self.pipe.add_request(
            self._next_id - 1, openvino.Tensor(np.array([request.tokens], dtype=np.int64)), config
        )


engines.add("openvino", OpenVinoEngine)
