"""What was asked for and what came of it, as the desk of creating shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from sfumato.actions import Act, query
from sfumato.checkpoints.elsewhere import engine_of
from sfumato.checkpoints.models import DEFAULT, named
from sfumato.errors import NotFound
from sfumato.generation.gallery import THEIRS, Tile, narrowed, verdict_of
from sfumato.generation.knowledge import Understood, styles_of, taught_grounds, understand, undisclosed
from sfumato.generation.pictures import RequestView, requests_of
from sfumato.generation.records import Image, Published, Request
from sfumato.jobs import JobView
from sfumato.jobs.queue import view as view_job
from sfumato.jobs.records import Job
from sfumato.people.addressees import names_of

STAMP = len("01234567-89ab")  # the part of an id that tells the millisecond in which it was made
SHOWN = 8  # pictures of one request in a list
SAME_MINUTE = 120_000  # milliseconds within which a request's job was written down, generously


@dataclass(frozen=True)
class Told:
    """A request with its pictures so far, and the job that draws them; None where that is long gone."""

    request: RequestView
    by_name: str
    tiles: list[Tile]
    more: int
    job: JobView | None

    @property
    def id(self) -> str:
        """The request's id."""
        return self.request.id

    @property
    def finished(self) -> bool:
        """Whether nothing more will come of it."""
        return len(self.tiles) + self.more >= self.request.n or self.job is None or self.job.ended


@query("request.history", doors=("api",))
def history(
    act: Act, *, after: str | None = None, limit: int = 10, model: str = "", made_by: str = "",
    verdict: Literal["", "approved", "rejected", "open"] = "", words: str = "",
) -> list[Told]:  # fmt: skip
    """What was asked for, the newest first, each with its first pictures and how far they are.

    Of one model, by one person, with a picture that was judged so, or with these words; `after` is the last id seen.
    """
    found = select(Request).order_by(Request.id.desc()).limit(limit)
    for column, said in ((Request.model, model), (Request.made_by, made_by)):
        if said:
            found = found.where(column == said)
    for word in words.split()[:8]:
        found = found.where(Request.prompt.icontains(word, autoescape=True))
    if verdict:
        drawn = select(Image.request_id).join(Request, THEIRS)
        found = found.where(Request.id.in_(narrowed(drawn, verdict=verdict)))
    if after:
        found = found.where(Request.id < after)
    return _told(act.session, list(act.session.scalars(found)), SHOWN)


@query("request.progress", doors=("api",))
def progress(act: Act, *, id: str) -> Told:
    """One request with all its pictures so far, and the job that draws the rest. Raises NotFound."""
    row = act.session.get(Request, id)
    if row is None:
        raise NotFound("There is no such request in this project.", hint="The history shows those that there are.")
    return _told(act.session, [row], 64)[0]


@query("image.understand", needs="record.read", doors=("api",))
def understand_prompt(act: Act, *, prompt: str, model: str = DEFAULT) -> Understood:
    """Say what a model makes of a sentence before it draws: words it has seen, how often, and the nearest to others.

    Raises NotFound for a model that is not there, or has no training card.
    """
    found = named(act, model)
    if engine_of(found.header):
        return undisclosed(prompt, found.header.options)
    return understand(prompt, found.card(), grounds=taught_grounds(found.header))


@query("image.styles", doors=("api",))
def styles(act: Act, *, model: str = DEFAULT) -> dict[str, str]:
    """The styles that a model has learnt, each with its maker and licence; raises NotFound for no such model."""
    return styles_of(named(act, model).card())


@query("image.models", doors=("api",))
def drawing_models(act: Act) -> list[str]:
    """The names of the models that draw, the one that came along first: those that enlarge do not."""
    from sfumato.checkpoints.models import views

    return [one.name for one in views(act) if "text_width" in one.header.options or engine_of(one.header)]


def _told(session: Session, rows: Sequence[Request], most: int) -> list[Told]:
    views = requests_of(session, rows)
    kept = {one.id: one.images[:most] for one in views}
    wanted = [key for ids in kept.values() for key in ids]
    found = (
        select(Image.id, Image.seed, Request.prompt, Request.model, Image.made_by, verdict_of())
        .join(Request, THEIRS)
        .where(Image.id.in_(wanted), exists().where(Published.image_id == Image.id))
    )
    tiles = {row[0]: Tile(*row) for row in session.execute(found)} if wanted else {}
    jobs = _jobs(session, [one for one in views if len([key for key in one.images if key in tiles]) < min(one.n, most)])
    names = names_of(session, {one.made_by for one in views})
    return [
        Told(
            one, names[one.made_by], [tiles[key] for key in kept[one.id] if key in tiles],
            max(0, len(one.images) - most), jobs.get(one.id),
        )
        for one in views
    ]  # fmt: skip


def _jobs(session: Session, requests: Sequence[RequestView]) -> dict[str, JobView]:
    """The jobs of requests: looked for among those that were written down at about the same moment."""
    if not requests:
        return {}
    keys = {f"generation.create:{one.id}": one.id for one in requests}
    first, last = min(one.id for one in requests), max(one.id for one in requests)
    until = f"{int(last[:STAMP].replace('-', ''), 16) + SAME_MINUTE:012x}"
    which = select(Job).where(Job.id >= first[:STAMP], Job.id < f"{until[:8]}-{until[8:]}", Job.key.in_(keys))
    return {keys[row.key]: view_job(row) for row in session.scalars(which)}


def again(request: RequestView, **changed: Any) -> dict[str, Any]:
    """The options of a request, to ask the same once more with a few of them changed."""
    names = ("n", "seed", "model", "sampler", "steps", "guidance", "background", "upscale", "private", "engine")
    return {name: getattr(request, name) for name in names} | changed
