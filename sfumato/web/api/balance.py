"""What datasets show: their diversity, how balanced they are, and plans that make them even."""

from typing import Annotated

from fastapi import Query

from sfumato.actions import Workspace
from sfumato.data.balance import Balances
from sfumato.data.balance import show_balance as read_balance
from sfumato.data.diversity import ask_diversity
from sfumato.data.plans import BalancePlan, How, apply_plan
from sfumato.data.plans import plan_balance as make_plan
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()
OVER = Annotated[
    list[str], Query(max_length=12, description="attributes that pictures declare, or columns: style, category, source")
]
TARGET = Annotated[str, Query(max_length=20_000, description="equal, as:DATASET, or shares as JSON")]
WHERE = Annotated[str, Query(max_length=20_000, description="which pictures are meant, as JSON")]


def show_balance(
    workspace: Workspace, *, name: str, attributes: OVER = [], target: TARGET = "equal", where: WHERE = ""  # noqa: B006
) -> Balances:
    """How balanced a dataset is over attributes that its pictures declare; all of these if none is named."""
    return read_balance(workspace, name=name, attributes=attributes or None, target=target, where=where)


def plan_balance(
    workspace: Workspace, *, name: str, attributes: OVER, target: TARGET = "equal", how: How = "weight",
    where: WHERE = "",
) -> BalancePlan:  # fmt: skip
    """Plan how a dataset becomes balanced, and show the shares before and after; nothing changes."""
    return make_plan(workspace, name=name, attributes=attributes, target=target, how=how, where=where)


offer(router, "POST", "/datasets/{name}/diversity", ask_diversity)
offer(router, "GET", "/datasets/{name}/balance", show_balance, name="data.balance")
offer(router, "GET", "/datasets/{name}/balance-plan", plan_balance, name="data.plan_balance")
offer(router, "POST", "/datasets/{name}/balance-plan", apply_plan)
