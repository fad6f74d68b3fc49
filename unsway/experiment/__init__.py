"""Studies as values, and what one does with them: plan, run, status, estimate."""

from unsway.experiment.running import estimate, load, plan, run
from unsway.experiment.study import Study, Task, Trained, difference

__all__ = ["Study", "Task", "Trained", "difference", "estimate", "load", "plan", "run"]
