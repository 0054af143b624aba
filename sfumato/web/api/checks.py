"""Checks of a dataset: asking for them, what they found, and groups of copies."""


from sfumato.data.findings import list_findings, list_groups
from sfumato.data.scan import check, list_checks, list_scans
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()

offer(router, "GET", "/checks", list_checks)
offer(router, "POST", "/datasets/{name}/scans", check)
offer(router, "GET", "/datasets/{name}/scans", list_scans)
offer(router, "GET", "/datasets/{name}/findings", list_findings, key="place")
offer(router, "GET", "/datasets/{name}/groups", list_groups, key="place")
