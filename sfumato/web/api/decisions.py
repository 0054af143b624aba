"""Decisions on a dataset's pictures: making them, looking at them, and taking them back."""


from sfumato.data.caption_edits import edit_captions, preview_captions
from sfumato.data.choosing import keep_best, pick_diverse
from sfumato.data.diff import diff, list_differing
from sfumato.data.editing import recaption, relicense, set_attributes, set_consent, set_family, set_weights
from sfumato.data.history import item_history, list_decided, list_decisions, show_decision
from sfumato.data.labelling import (
    close_labelling,
    label,
    label_last,
    label_next,
    label_skip,
    list_labellings,
    make_labelling,
    show_labelling,
)
from sfumato.data.mending import mend_pixels
from sfumato.data.rests import show_lineage
from sfumato.data.verdicts import keep, leave_out, show_meant, undo
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()

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
offer(router, "POST", "/datasets/{name}/decisions/keep-best", keep_best)
offer(router, "POST", "/datasets/{name}/decisions/pick-diverse", pick_diverse)
offer(router, "GET", "/decisions/{id}", show_decision)
offer(router, "GET", "/decisions/{id}/items", list_decided, key="item_id")
offer(router, "POST", "/decisions/{id}/undo", undo)
offer(router, "GET", "/items/{id}/history", item_history)
offer(router, "GET", "/dataset-versions/{label}/lineage", show_lineage)
offer(router, "GET", "/dataset-versions/{first}/diff/{second}", diff, name="data.diff")
offer(router, "GET", "/dataset-versions/{first}/diff/{second}/items", list_differing, name="data.differing")

TASK = "/datasets/{name}/labellings/{labelling}"
offer(router, "GET", "/datasets/{name}/labellings", list_labellings)
offer(router, "POST", "/datasets/{name}/labellings", make_labelling)
offer(router, "GET", TASK, show_labelling)
offer(router, "GET", f"{TASK}/next", label_next)
offer(router, "GET", f"{TASK}/last", label_last)
offer(router, "POST", f"{TASK}/answers", label)
offer(router, "POST", f"{TASK}/skips", label_skip)
offer(router, "POST", f"{TASK}/close", close_labelling)
