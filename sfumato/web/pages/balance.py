"""Balance of a dataset over what was declared, and a plan that mends it, with its effect before and after."""

from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from sfumato.actions.registry import allowed
from sfumato.data.balance import show_balance
from sfumato.data.explore import show_histograms
from sfumato.data.plans import BalancePlan, apply_plan, plan_balance
from sfumato.errors import Conflict, InvalidInput, SfumatoError
from sfumato.web.addresses import Router
from sfumato.web.charts import Chart, bar_chart
from sfumato.web.desks import Page
from sfumato.web.pages.data import WHY
from sfumato.web.sent import Sent, said
from sfumato.web.visits import Here, Visit
from sfumato.web.wheres import title

router = Router()
HOW = {
    "weight": "Draw rare ones more often", "leave out": "Leave out what is too many", "collect": "Collect what lacks",
}  # fmt: skip
BARE = ("style", "category", "licence")  # columns that can be balanced beside what was declared
Word = Annotated[str, Query(max_length=200)]


@router.get("/data/{name}/balance")
def show_one(visit: Here, name: str, attribute: Word = "", how: Word = "") -> Response:
    """Shares of one attribute with their intervals, and what a plan would make of them."""
    return _balance(visit, name, attribute, how)


def _balance(visit: Visit, name: str, attribute: str, how: str, wrong: SfumatoError | None = None) -> Response:
    asked = wrong is not None  # a plan that cannot be made is told; one that was sent is refused
    workspace = visit.workspace
    seen = show_histograms(workspace, name=name)
    told = [one.column.removeprefix("attribute ") for one in seen.values
            if one.column.startswith("attribute ") or one.column in BARE]  # fmt: skip
    told.sort(key=lambda one: one in BARE)
    chosen = attribute if attribute in told else (told or [""])[0]
    found = show_balance(workspace, name=name, attributes=[chosen]) if chosen else None
    plan: BalancePlan | None = None
    if chosen and how in HOW:
        try:
            plan = plan_balance(workspace, name=name, attributes=[chosen], how=how)  # type: ignore[arg-type]
        except InvalidInput as refused:
            wrong = wrong or refused
    page = Page("Balance", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Balance", "")))
    one = found.balances[0] if found and found.balances else None
    return visit.render(
        "data/balance.html", status=wrong.status if wrong and asked else 200, page=page, name=name, one=one, plan=plan,
        told=[(each, title(each)) for each in told], attribute=chosen, how=how, hows=HOW,
        chart=shares_of(one) if one else None, may=allowed(workspace, "dataset.write"), why=WHY, **said(wrong),
    )  # fmt: skip


def shares_of(one: Any) -> Chart:
    """The shares as bars in percent, with their intervals."""
    bars = [(each.group, 100 * each.share, 100 * each.low, 100 * each.high) for each in one.shares]
    return bar_chart(f"Shares of {title(one.attribute).lower()}", bars, "%", unit="%")


@router.post("/data/{name}/balance")
def apply(visit: Here, name: str, form: Sent) -> Response:
    """Apply the plan that was seen, as one decision."""
    attribute, how = form.get("attribute", ""), form.get("how", "")
    if how not in HOW:
        raise InvalidInput("A plan weighs, leaves out, or collects.", hint=f"Send how={' or '.join(HOW)}.")
    try:
        apply_plan(
            visit.workspace, name=name, attributes=[attribute], how=how, seen=form.get("seen", "")  # type: ignore[arg-type]
        )
    except (Conflict, InvalidInput) as wrong:
        return _balance(visit, name, attribute, how, wrong)
    return visit.go(f"/data/{name}/decisions")
