"""What a form sent, for handlers that know its fields only from a schema."""

from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from sfumato.errors import SfumatoError

LONGEST = 20_000  # letters of one field
LONGER = {"ids": 200_000}  # of those that name many records


async def sent(request: Request) -> dict[str, str]:
    """The fields of the form by name; files are not among them."""
    form = await request.form()
    return {name: value[: LONGER.get(name, LONGEST)] for name, value in form.items() if isinstance(value, str)}


Sent = Annotated[dict[str, str], Depends(sent)]


def said(wrong: SfumatoError | None) -> dict[str, Any]:
    """A refusal as a page shows it beside the form that was sent."""
    return {"wrong": wrong.message if wrong else "", "hint": wrong.hint if wrong else ""}
