"""Studies as values, and what you can do with them: plan, run, check the status, estimate."""

from unsway.studies.running import estimate, load, read_study, run
from unsway.studies.study import Study, difference
from unsway.studies.study_plan import plan
from unsway.studies.values import Task, Trained

__all__ = ["Study", "Task", "Trained", "difference", "estimate", "load", "plan", "read_study", "run"]
