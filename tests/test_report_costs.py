"""What arms cost, from the same results as what they buy."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from unsway.planning.prices import Price
from unsway.progress import duration
from unsway.reporting.costs import costs, to_markdown
from unsway.studies import Study, run
from unsway.testing import scripted


def test_costs_count_the_replies_of_each_arm(tmp_path: Path) -> None:
    study = Study(models="scripted/a", biases="post_hoc", tasks="procedural/dates", n=5)
    found = run(study, tmp_path, using={"scripted/a": scripted(study.pairs(), follow={}, name="a")})
    (one,) = costs(found)
    assert (one.arm, one.n_replies, one.steps, one.dollars) == ("base", 10, 0, None)
    assert one.tokens_in == sum(reply.tokens_in for reply in found.replies) / 10
    assert one.spent is None and (one.tokens_trained or 0) == 0
    price = Price("scripted/a", 2.0, 10.0, "2026-11")
    (priced,) = costs(found, {"scripted/a": price})
    tokens = [sum(getattr(reply, name) for reply in found.replies) for name in ("tokens_in", "tokens_out")]
    assert priced.spent == (2 * tokens[0] + 10 * tokens[1]) / 1e6
    assert to_markdown(found).splitlines()[-1].startswith("| base | 10 | ")


def test_a_report_says_what_made_it_and_how_long_it_took(tmp_path: Path) -> None:
    study = Study(models="scripted/a", biases="post_hoc", tasks="procedural/dates", n=5)
    about = run(study, tmp_path, using={"scripted/a": scripted(study.pairs(), follow={}, name="a")}).about
    assert about["study"] == repr(study) and about["unsway"] == version("unsway") and about["python"]
    assert about["asked in"].startswith("scripted/a: ") and about["asked in"].endswith(" s")
    assert [duration(seconds) for seconds in (8.2, 720, 12_240)] == ["8 s", "12 min", "3.4 h"]
