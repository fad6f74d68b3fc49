"""What arms cost, from the same results as what they buy."""

from __future__ import annotations

from pathlib import Path

from unsway.experiment import Study, run
from unsway.report.costs import costs, to_markdown
from unsway.testing import scripted


def test_costs_count_the_replies_of_each_arm(tmp_path: Path) -> None:
    study = Study(models="scripted/a", biases="post_hoc", tasks="procedural/dates", n=5)
    found = run(study, tmp_path, using={"scripted/a": scripted(study.pairs(), follow={}, name="a")})
    (one,) = costs(found)
    assert (one.arm, one.n_replies, one.steps, one.dollars) == ("base", 10, 0, None)
    assert one.tokens_in == sum(reply.tokens_in for reply in found.replies) / 10
    assert to_markdown(found).splitlines()[-1].startswith("| base | 10 | ")
