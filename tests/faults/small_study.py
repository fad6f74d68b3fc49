"""A study with everything in it, small: a model on a server, prompted, few-shot, trained on a tiny base and asked again.

python -m tests.faults.small_study FOLDER URL BASE
"""

from __future__ import annotations

import sys

from unsway.data import Recipe
from unsway.models.session import session
from unsway.studies import Study, Task, Trained, run
from unsway.training import Bct
from unsway.types import Settings

TRAINED = Trained(
    Bct(batch_size=2, learning_rate=1e-3),
    tasks=(Task("arc_easy", 30),),
    recipe=Recipe(n=12, elicit="brief", biases=("suggested_answer",), instruct=4, max_tokens=16),
)


def study(base: str) -> Study:
    """The study of a base model's folder."""
    return Study(
        models=(base,),
        interventions=("none", "prompted:ignore", TRAINED),
        biases=("suggested_answer", "are_you_sure"),
        tasks=(Task("basic_skills/arithmetic", 8),),
        elicit=("brief",),
        settings=Settings(max_tokens=16),
    )


if __name__ == "__main__":
    folder, url, base = sys.argv[1:]
    with session("openai-api/local/m", base_url=url, max_connections=8) as asked:
        run(study(base), folder, using={base: asked})
