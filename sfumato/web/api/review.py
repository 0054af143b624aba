"""Judgement of anything: rating, approving, rejecting, and what was said so far."""


from sfumato.review.judge import approve, rate, reject, review_of, withdraw
from sfumato.review.queue import queue
from sfumato.review.share import approval_share
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()

offer(router, "GET", "/review/queue", queue, key="ref")
offer(router, "GET", "/review/{subject:path}", review_of)
offer(router, "POST", "/review/ratings", rate)
offer(router, "POST", "/review/approvals", approve)
offer(router, "POST", "/review/rejections", reject)
offer(router, "POST", "/review/withdrawals", withdraw)
offer(router, "GET", "/models/{model}/approval", approval_share)
