"""Jobs: long work as rows that survive a crash, claimed once, with progress, cancel and resume."""

from sfumato.jobs.contract import JobContext, LeaseLost, Progress, job
from sfumato.jobs.queue import JobView, enqueue

__all__ = ["JobContext", "JobView", "LeaseLost", "Progress", "enqueue", "job"]
