"""Collecting as it is, that stands still after a batch of rows was written: a kill then falls in its middle."""

import time
from collections.abc import Generator
from typing import Any

from sfumato.data import jobs
from sfumato.jobs import JobContext, Progress, job

jobs.BATCH = 100
collect = jobs.collect


@job("data.collect", needs="dataset.write")
def collect_and_stand_still(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Collect until 150 pictures were looked at, then wait to be killed."""
    for step in collect(ctx, spec):
        yield step
        if step.done >= 150:
            time.sleep(600)
    raise AssertionError("there was too little to collect")
