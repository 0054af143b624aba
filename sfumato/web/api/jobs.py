"""Jobs: what runs, what has run, and stopping it."""


from sfumato.compliance.line import show_line
from sfumato.compliance.work import list_work, show_work
from sfumato.jobs.lanes import list_lanes
from sfumato.jobs.queue import cancel_job, get_job, list_jobs
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()

offer(router, "GET", "/jobs", list_jobs)
offer(router, "GET", "/jobs/{job_id}", get_job)
offer(router, "POST", "/jobs/{job_id}/cancel", cancel_job)
offer(router, "GET", "/work", list_work)
offer(router, "GET", "/work/{job_id}", show_work)
offer(router, "GET", "/lanes", list_lanes)
offer(router, "GET", "/line", show_line)
