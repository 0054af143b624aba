"""All pictures of a project as a gallery shows them: few columns, the newest first, and what lies beside one."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Integer, Select, String, bindparam, exists, func, literal, select

from sfumato.actions import Act, query
from sfumato.db.scope import Prepared
from sfumato.errors import InvalidInput, NotFound
from sfumato.generation.records import Image, Published, Request
from sfumato.review.records import Judgement
from sfumato.review.standing import stands

VERDICTS = ("approved", "rejected", "open")
BEFORE = len("image/")
THEIRS = (Request.id == Image.request_id) & (Request.project_id == Image.project_id)  # one index has both
WORDS = 8  # that are looked for in a prompt


@dataclass(slots=True)  # not frozen, which would take as long as finding them
class Tile:
    """A picture as a tile needs it; `verdict` is the one that decides, None where nobody judged it."""

    id: str
    seed: int
    prompt: str
    model: str
    made_by: str
    verdict: str | None


@dataclass(frozen=True)
class Beside:
    """The pictures before and after one in a list, "" where there is none."""

    newer: str = ""
    older: str = ""


def verdict_of(image: Any = Image) -> Any:
    """The verdict that decides on a picture, as a column: of several people's the newest that stands."""
    which = select(Judgement.verdict).where(
        Judgement.subject == literal("image/") + image.id, Judgement.verdict.is_not(None), stands()
    )
    return which.order_by(Judgement.made_at.desc(), Judgement.id.desc()).limit(1).scalar_subquery()


def narrowed(
    found: Select[Any], *, model: str = "", made_by: str = "", request_id: str = "", verdict: str = "", words: str = ""
) -> Select[Any]:
    """Keep to pictures of one model, by one person, of one request, judged so, or with these words in their prompt."""
    for column, said in ((Request.model, model), (Image.made_by, made_by), (Image.request_id, request_id)):
        if said:
            found = found.where(column == said)
    if verdict and verdict not in VERDICTS:
        raise InvalidInput(f"Pictures are not '{verdict}'.", hint=f"Ask for {', '.join(VERDICTS)}.")
    if verdict == "open":
        found = found.where(verdict_of().is_(None))
    elif verdict:
        some = select(func.substr(Judgement.subject, BEFORE + 1)).where(Judgement.verdict == verdict)
        found = found.where(Image.id.in_(some), verdict_of() == verdict)
    for word in words.split()[:WORDS]:
        found = found.where(Request.prompt.icontains(word, autoescape=True))
    return found


def _shown(*columns: Any) -> Select[Any]:
    """Pictures that were let out, with what they were asked by.

    Every picture has its request: the outer join only makes databases walk the pictures, in their order, first.
    """
    let_out = exists().where(Published.image_id == Image.id)
    return select(*columns).outerjoin(Request, THEIRS).where(let_out)


PLAIN = _shown(Image.id, Image.seed, Request.prompt, Request.model, Image.made_by, verdict_of()).order_by(
    Image.id.desc()
)  # fmt: skip
LAST = "~"  # comes after every id
ALL = Prepared(PLAIN.where(Image.id < bindparam("before", type_=String)).limit(bindparam("most", type_=Integer)))


@query("image.tiles", doors=("api",))
def list_tiles(
    act: Act, *, after: str | None = None, limit: int = 48, model: str = "", made_by: str = "", request_id: str = "",
    verdict: Literal["", "approved", "rejected", "open"] = "", words: str = "",
) -> list[Tile]:  # fmt: skip
    """Pictures that were let out, the newest first, each with the little that a tile shows.

    Of one model, by one person, of one request, by the verdict that decides ("open" for none), or with these words.
    """
    if not (model or made_by or request_id or verdict or words.strip()):
        return [Tile(*row) for row in ALL.rows(act.session, before=after or LAST, most=limit)]
    found = narrowed(
        PLAIN.limit(limit), model=model, made_by=made_by, request_id=request_id, verdict=verdict, words=words
    )
    if after:
        found = found.where(Image.id < after)
    return [Tile(*row) for row in act.session.execute(found)]


@query("image.beside", doors=("api",))
def beside(
    act: Act, *, id: str, model: str = "", made_by: str = "", request_id: str = "",
    verdict: Literal["", "approved", "rejected", "open"] = "", words: str = "",
) -> Beside:  # fmt: skip
    """Which pictures come before and after one, in the list that is narrowed in the same way.

    Raises NotFound where the project has no such picture.
    """
    if act.session.scalar(_shown(Image.id).where(Image.id == id)) is None:
        raise NotFound(f"There is no picture '{id[:80]}'.", hint="Write its whole id.")
    found = narrowed(
        _shown(Image.id).limit(1), model=model, made_by=made_by, request_id=request_id, verdict=verdict, words=words
    )
    newer = act.session.scalar(found.where(Image.id > id).order_by(Image.id))
    older = act.session.scalar(found.where(Image.id < id).order_by(Image.id.desc()))
    return Beside(newer or "", older or "")
