"""Keeping to one project and to what one person may see: decided here once, for every statement of every room.

A session that was given a project finds, changes and deletes that project's rows alone, by whatever way it
asks for them, and of those not what is private to somebody else. What cannot be kept to it is refused.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnClause,
    Insert,
    Select,
    String,
    TableClause,
    TextClause,
    bindparam,
    event,
    func,
    literal_column,
)  # fmt: skip
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql import ClauseElement, visitors

from sfumato.db.records import Base, InProject, MaybePrivate

DEFAULT_PROJECT = "00000000-0000-7000-8000-000000000001"
MOST: Any = literal_column("0.99")  # SQLite asks for a number that is written out
ACROSS = {"across": True}  # execution options of a statement that may look into all projects


class OutsideProject(Exception):
    """A statement that cannot be kept to its session's project: a fault of ours, never of a person."""


class ScopedSession(Session):
    """A session that may be bound to a project (`info["project"]`) and to a person (`info["person"]`)."""


@event.listens_for(ScopedSession, "do_orm_execute")
def keep_to_project(state: ORMExecuteState) -> None:
    """Narrow a statement to the session's project and person; refuse one that cannot be narrowed."""
    project, person = state.session.info.get("project"), state.session.info.get("person")
    if project is None or state.execution_options.get("across"):
        return
    statement: Any = state.statement
    if state.is_insert:
        _check_values(state.parameters, project)
        if isinstance(statement, Insert) and statement.select is not None and _project_tables(statement.select):
            raise OutsideProject("Rows of a project cannot be copied by INSERT FROM SELECT.")
        return
    narrowed = state.is_orm_statement and (state.is_select or state.is_update or state.is_delete)
    if not narrowed or (state.is_update and isinstance(state.parameters, list)):
        if _project_tables(statement):
            raise OutsideProject("This statement cannot be kept to its project. Select from the records' classes.")
        return
    for part in visitors.iterate(statement):
        if _escapes(part):
            raise OutsideProject("A part of this statement cannot be kept to its project.")
    if state.is_select and state.session.get_bind().dialect.name == "sqlite":
        # Most rows are of the project: told so, SQLite looks by the other conditions, and by this one for the order.
        of_project = with_loader_criteria(
            InProject, lambda cls: func.likelihood(cls.project_id == project, MOST), include_aliases=True
        )
    else:
        of_project = with_loader_criteria(InProject, lambda cls: cls.project_id == project, include_aliases=True)
    state.statement = statement.options(of_project)
    if person is not None:
        seen = with_loader_criteria(
            MaybePrivate, lambda cls: (cls.private_to == "") | (cls.private_to == person), include_aliases=True
        )
        state.statement = state.statement.options(seen)


@event.listens_for(ScopedSession, "before_flush")
def fill_in_project(session: Session, _context: UOWTransaction, _objects: Any) -> None:
    """Give new rows the session's project, and refuse to write another project's rows."""
    project = session.info.get("project")
    if project is None:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, InProject):
            own = getattr(row, "project_id", None)
            if own is None:
                row.project_id = project
            elif own not in (project, ""):
                raise OutsideProject("A row of another project cannot be written here.")


class Prepared:
    """A SELECT of plain columns that is narrowed and compiled once, for the few pages that are asked for all the time.

    It is kept to the session's project and person as every statement is. Rows are tuples as the driver gives them.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        if any(_escapes(part) for part in visitors.iterate(statement)):
            raise OutsideProject("A part of this statement cannot be kept to its project.")
        self._statement = statement
        self._compiled: dict[str, tuple[Any, dict[str, Any]]] = {}

    def rows(self, session: Session, **values: Any) -> list[tuple[Any, ...]]:
        """The rows that the session's person may see of the session's project."""
        dialect = session.get_bind().dialect
        if dialect.name not in self._compiled:
            made = self._narrowed(dialect.name).compile(dialect=dialect)
            self._compiled[dialect.name] = made, dict(made.params)
        compiled, written = self._compiled[dialect.name]
        given = {**written, **values, "of_project": session.info["project"], "of_person": session.info["person"]}
        if dialect.name == "sqlite":  # its driver is asked directly, which is half of the time
            ready = tuple([given[name] for name in compiled.positiontup or ()])
            driver: Any = session.info.get("driver") or session.connection().connection.driver_connection
            return driver.execute(compiled.string, ready).fetchall()
        return [tuple(row) for row in session.connection().exec_driver_sql(compiled.string, given).all()]

    def _narrowed(self, dialect: str) -> Select[*tuple[Any, ...]]:
        project, person = bindparam("of_project", type_=String), bindparam("of_person", type_=String)
        seen = with_loader_criteria(
            MaybePrivate, lambda cls: (cls.private_to == "") | (cls.private_to == person), include_aliases=True
        )
        if dialect == "sqlite":
            kept = with_loader_criteria(
                InProject, lambda cls: func.likelihood(cls.project_id == project, MOST), include_aliases=True
            )
        else:
            kept = with_loader_criteria(InProject, lambda cls: cls.project_id == project, include_aliases=True)
        return self._statement.options(kept, seen)


def _check_values(given: Any, project: str) -> None:
    rows = given if isinstance(given, list) else [given or {}]
    if any(row.get("project_id", project) not in (project, "") for row in rows):
        raise OutsideProject("A row of another project cannot be written here.")


def _escapes(part: Any) -> bool:
    """Whether a part of an ORM statement reads a project's table in a way that is not narrowed with the rest."""
    if isinstance(part, TextClause | ColumnClause):
        return bool(set(_named(part)))
    plugin = getattr(part, "_propagate_attrs", {}).get("compile_state_plugin")
    return isinstance(part, Select) and plugin != "orm" and any(_project_tables(one) for one in part.get_final_froms())


def _project_tables(statement: ClauseElement) -> set[str]:
    """The tables of projects that a statement names, also within its words."""
    return {name for part in visitors.iterate(statement) for name in _named(part)}


def _named(part: Any) -> Iterator[str]:
    known = _names(len(Base.metadata.tables))
    if isinstance(part, TableClause) and part.name in known:
        yield part.name
    elif isinstance(part, TextClause) or (isinstance(part, ColumnClause) and part.is_literal):
        said = part.text if isinstance(part, TextClause) else part.name
        yield from known & set(re.findall(r"\w+", said.lower()))


@cache
def _names(_tables: int) -> frozenset[str]:
    """The names of all tables that belong to projects; asked anew when a room has brought more tables."""
    tables = Base.metadata.tables.values()
    return frozenset(table.name for table in tables if "project_id" in table.c)
