"""What unsway logs reaches a person: through the command line, and through `logs.show` while Inspect runs."""

from __future__ import annotations

from pathlib import Path

from tests.forking import Forked

SCRIPT = """
import logging, sys
from unsway import logs
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.testing import scripted, toy_questions
asked = pairs(toy_questions(1), ["post_hoc"])
model = scripted(asked, follow={})
generate = model.api.generate
async def warned(*args, **kwargs):
    logging.getLogger("unsway.sampling.calls").warning("in the middle")
    return await generate(*args, **kwargs)
model.api.generate = warned
run(asked, model, folder=sys.argv[1] + "/silent")
print("asked to show", file=sys.stderr, flush=True)
logs.show()
logs.show()
run(asked, model, folder=sys.argv[1] + "/shown")
"""


def test_a_library_is_silent_until_it_is_asked_to_show_its_log(tmp_path: Path) -> None:
    with Forked(SCRIPT, str(tmp_path), out=tmp_path / "said") as process:
        said = process.communicate(timeout=100)[1].splitlines()
    assert process.returncode == 0, said
    silent_until, first, *middle, last = said
    assert silent_until == "asked to show"
    assert first == "Asking scripted/model: 0/2" and middle == ["in the middle"] * 2
    assert last.startswith("Asking scripted/model: 2/2 in 0:")
