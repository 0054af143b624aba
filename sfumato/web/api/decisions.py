"""Decisions on a dataset's pictures: making them, looking at them, and taking them back."""

from fastapi import APIRouter

from sfumato.data.history import item_history, list_decided, list_decisions, show_decision
from sfumato.data.verdicts import keep, leave_out, show_meant, undo
from sfumato.web.offering import offer

router = APIRouter()

offer(router, "GET", "/datasets/{name}/meant", show_meant)
offer(router, "GET", "/datasets/{name}/decisions", list_decisions)
offer(router, "POST", "/datasets/{name}/decisions/leave-out", leave_out)
offer(router, "POST", "/datasets/{name}/decisions/keep", keep)
offer(router, "GET", "/decisions/{id}", show_decision)
offer(router, "GET", "/decisions/{id}/items", list_decided, key="item_id")
offer(router, "POST", "/decisions/{id}/undo", undo)
offer(router, "GET", "/items/{id}/history", item_history)
