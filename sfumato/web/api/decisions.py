"""Decisions on a dataset's pictures: making them, looking at them, and taking them back."""

from fastapi import APIRouter

from sfumato.data.caption_edits import edit_captions, preview_captions
from sfumato.data.editing import recaption, relicense, set_attributes, set_consent, set_family, set_weights
from sfumato.data.history import item_history, list_decided, list_decisions, show_decision
from sfumato.data.mending import mend_pixels
from sfumato.data.rests import show_lineage
from sfumato.data.verdicts import keep, leave_out, show_meant, undo
from sfumato.web.offering import offer

router = APIRouter()

offer(router, "GET", "/datasets/{name}/meant", show_meant)
offer(router, "GET", "/datasets/{name}/decisions", list_decisions)
offer(router, "POST", "/datasets/{name}/decisions/leave-out", leave_out)
offer(router, "POST", "/datasets/{name}/decisions/keep", keep)
offer(router, "POST", "/datasets/{name}/decisions/recaption", recaption)
offer(router, "GET", "/datasets/{name}/captions-preview", preview_captions, name="data.preview_captions")
offer(router, "POST", "/datasets/{name}/decisions/edit-captions", edit_captions, name="data.edit_captions")
offer(router, "POST", "/datasets/{name}/decisions/relicense", relicense)
offer(router, "POST", "/datasets/{name}/decisions/set-consent", set_consent)
offer(router, "POST", "/datasets/{name}/decisions/set-attributes", set_attributes)
offer(router, "POST", "/datasets/{name}/decisions/set-weights", set_weights)
offer(router, "POST", "/datasets/{name}/decisions/set-family", set_family)
offer(router, "POST", "/datasets/{name}/decisions/mend-pixels", mend_pixels, name="data.mend_pixels")
offer(router, "GET", "/decisions/{id}", show_decision)
offer(router, "GET", "/decisions/{id}/items", list_decided, key="item_id")
offer(router, "POST", "/decisions/{id}/undo", undo)
offer(router, "GET", "/items/{id}/history", item_history)
offer(router, "GET", "/dataset-versions/{label}/lineage", show_lineage)
