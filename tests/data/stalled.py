"""Collecting and checking as they are, that stand still once a batch was written: a kill then falls in the middle."""

import time
from collections.abc import Generator
from typing import Any

from sfumato.data import jobs, scanning
from sfumato.jobs import JobContext, Progress, job

BATCH = jobs.BATCH = scanning.BATCH = 100
collect, check = jobs.collect, jobs.check


@job("data.collect", needs="dataset.write")
def collect_and_stand_still(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Collect until 150 pictures were looked at, then wait to be killed."""
    for step in collect(ctx, spec):
        yield step
        if step.done >= 150:
            time.sleep(600)
    raise AssertionError("there was too little to collect")


@job("data.check", needs="dataset.write")
def check_and_stand_still(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Measure a batch and some of the next, then wait to be killed."""
    for step in check(ctx, spec):
        yield step
        if step.done > BATCH:
            time.sleep(600)
    raise AssertionError("there was too little to measure")
