"""Hostile input at length: replies, files, weights and lies, each tried for real.

    python -m tests.faults.hostile [TRIES]

Files that somebody wrote are damaged at random (seeded) and loaded: each gives values or one of our own errors, never another
error, and quickly. Then the tests of bad replies, of trust and of lies run, and their cases are counted.
Prints a line per class.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.faults.tally import Tally
from unsway import sources
from unsway.data.foreign import read_examples
from unsway.errors import UnswayError
from unsway.importing import released
from unsway.importing.replies import load as load_transcripts
from unsway.judging.foreign_labels import import_labels
from unsway.readers.parse import read
from unsway.seeds import rng

TRIES = 2000
SOON = 5.0
"""Seconds after which reading a small file counts as a hang."""
LONGEST_READ = 0.25
"""Seconds of processor time after which reading a reply counts as a hang; the bench of the reader has its times."""
HERE = Path(__file__).parent.parent.parent
OPTIONS = ("copper", "granite", "paper", "wool")
NOISE = (
    *(
        "\x1b[2J",
        "\u202e",
        "\ud7ff",
        "\x00",
        "\ufeff",
        "\u200b",
        "🜂",
        "é",
        "\n",
        "\n\n",
        "\t",
        "**",
        "```",
        "$",
        "\\boxed{}",
    ),
    *(
        "<think>",
        "</think>",
        "<script>",
        "{{7*7}}",
        "%s",
        "../..",
        "a thing",
        "I",
        "the",
        "answer",
        "is",
        "not",
        "or",
        "if",
    ),
    *(
        "both",
        "neither",
        "none of these",
        "(Z)",
        "(9)",
        "I cannot help with that.",
        "Hmm.",
        "1.5",
        "42",
        "—",
        "&",
        "|",
        ":",
    ),
)
"""Noise that names no option, not even a single letter."""
ENDINGS = ("The best answer is: ({}).", "Therefore, the answer is ({}).", "\n**({})**", "Answer: {}", "\\boxed{{{}}}")
QUESTION = {"question": "Which is a metal?", "options": list(OPTIONS), "answer": "A"}
ROW = {"question_id": "q1", "n_options": 4, "gold": "A", "target": "B", "bias": "hint", "arm": "biased", "model": "m"}
EXAMPLE = {"messages": [{"role": "user", "content": "Which?"}], "completion": "(A)"}
PROMPT = {"turns": [{"role": "user", "parts": [{"kind": "stem", "text": "Which?"}]}]}
OWN_EXAMPLE = {"clean": PROMPT, "biased": PROMPT, "completion": "(A)", "target": {"option": 1, "kind": "toward"}}
PREFERENCE = {
    "prompt": EXAMPLE["messages"],
    "chosen": [{"role": "assistant", "content": "(A)", "weight": 1}],
    "rejected": "(B)",
}
SHARED = {
    "conversations": [{"from": "human", "value": "Which?"}, {"from": "gpt", "value": "(A)"}],
    "system": "Be brief.",
}
OWN_EXAMPLE |= {"options": ["a", "b"], "kind": "consistency", "pair_id": "p", "said_by": "m"}
LABEL = {"labeller": "ana", "reply": "So (B).", "coherence": 4, "mentions_cue": False, "prompt": "I say B. Which?"}
LAYOUT = "Which is a metal?\n\nAnswer choices:\n(A) copper\n(B) granite"
RELEASED = {
    "original_question": LAYOUT,
    "original_dataset": "made",
    "unbiased_question": [{"role": "user", "content": LAYOUT}],
    "biased_question": [{"role": "user", "content": f"I would say B.\n{LAYOUT}"}],
    "ground_truth": "A",
    "biased_option": "B",
    "bias_name": "suggested_answer",
}
TESTS = {
    "bad replies through every verb": "tests/test_bad_replies.py",
    "keys, weights, code of others": "tests/test_trust.py tests/test_models_weights.py",
    "downloads and archives": "tests/test_assets.py",
    "lies": "tests/test_lies.py",
}


# ---------------------------------------------------------------- replies


def replies(tries: int) -> int:
    """Noise around one commitment, or none: the reader gives that letter or none, quickly."""
    line, draw, slowest = Tally("fuzz: replies"), rng(0, "hostile replies"), 0.0
    for _ in range(tries):
        noise = [draw.choice(NOISE) for _ in range(draw.randint(0, 40))] * draw.choice((1, 1, 1, 200))
        option = draw.choice((None, 0, 1, 2, 3))
        said = "" if option is None else draw.choice(ENDINGS).format("ABCD"[option])
        text = f"{' '.join(noise)} {said}"
        start = time.process_time()
        try:
            answer = read(text, options=OPTIONS)
        except Exception as error:  # any other error is the fault we look for
            line.count(f"{type(error).__name__}: {error} for {text[-80:]!r}")
            continue
        took = time.process_time() - start
        slowest = max(slowest, took)
        problems = [f"read {answer.choice} ({answer.rule}), said {option}: {text[-120:]!r}"]
        wrong = answer.choice not in (option, None)
        line.count(*(problems * wrong), *([f"{took:.2f} s for {len(text)} characters"] * (took > LONGEST_READ)))
    return line.say(f"slowest {1000 * slowest:.0f} ms")


# ---------------------------------------------------------------- files


def damaged(rows: list[dict[str, object]], draw: Random) -> bytes:
    """JSONL of rows with something wrong: other values, missing fields, cut or flipped bytes."""
    values = (
        None,
        True,
        -1,
        27,
        1e308,
        "",
        "Z",
        "NOT B",
        "\x1b[2J",
        "x" * 5000,
        [],
        ["a"],
        ["a"] * 40,
        {"a": {}},
        "\ud800",
    )
    changed = [dict(row) for row in rows]
    for _ in range(draw.randint(0, 3)):
        row = draw.choice(changed)
        key = draw.choice([*row, "id", "sample", "kind", "split"])
        if draw.random() < 0.3:
            row.pop(key, None)
        else:
            row[key] = draw.choice(values)
    raw = bytearray("\n".join(json.dumps(row) for row in changed).encode())
    for _ in range(draw.choice((0, 0, 1, 3))):
        raw[draw.randrange(len(raw))] = draw.randrange(256)
    return bytes(raw[: draw.choice((len(raw), len(raw), draw.randrange(len(raw))))])


def files(what: str, rows: list[dict[str, object]], load: Callable[[Path], object], place: Path, tries: int) -> int:
    """Load damaged files of one kind: gives values or one of our errors."""
    line, draw = Tally(f"fuzz: {what}"), rng(0, "hostile files", what)
    loaded = 0
    for _ in range(tries):
        raw, packed = damaged(rows, draw), draw.random() < 0.2
        body = gzip.compress(raw)[: draw.choice((None, -9))] if packed else raw
        path = place / ("it.jsonl.gz" if packed else "it.jsonl")
        path.write_bytes(body)
        start = time.monotonic()
        try:
            load(path)
            loaded += 1
        except UnswayError:
            pass
        except Exception as error:  # any other error is the fault we look for
            line.count(f"{type(error).__name__}: {str(error)[:200]} for {raw[:300]!r}")
            continue
        line.count(*(["took too long"] * (time.monotonic() - start > SOON)))
    return line.say(f"{loaded} loaded, the others were refused by name")


# ---------------------------------------------------------------- tests


def tests(what: str, names: str, place: Path) -> int:
    """Run tests and count their cases."""
    report = place / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", *names.split(), f"--junitxml={report}", "--timeout=600"]
    subprocess.run(command, cwd=HERE, capture_output=True)
    line = Tally(what)
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("skipped") is None:
            bad = [one for one in case if one.tag in ("failure", "error")]
            line.count(*(f"{case.get('name')}: {one.get('message', '')[:200]}" for one in bad))
    return line.say()


def main() -> int:
    """Everything; returns 1 if anything was lost."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else TRIES
    biased = ROW | {"reply": "The best answer is: (B)."}
    transcripts = [biased, biased | {"arm": "clean", "reply": "The best answer is: (A)."}]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        lost = replies(5 * tries)
        lost += files("questions", [QUESTION, QUESTION | {"question": "Which is a cloth?"}], sources.load, place, tries)
        lost += files("transcripts", transcripts, load_transcripts, place, tries)
        lost += files(
            "transcripts, bad rows left out", transcripts, lambda p: load_transcripts(p, skip_bad=True), place, tries
        )
        lost += files("training rows", [EXAMPLE, OWN_EXAMPLE, PREFERENCE, SHARED], read_examples, place, tries)
        lost += files("released prompts", [RELEASED], released.load, place, tries)
        labels = [LABEL | {"cue": "I say B."}, LABEL | {"labeller": "ben"}]
        lost += files("labels", labels, lambda p: import_labels(p, place / "labelled"), place, tries)
        lost += sum(tests(what, names, place) for what, names in TESTS.items())
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
