"""`sfumato data export`, `table`, `datasheet`, `answer` and `croissant`: what leaves, and what is said of it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sfumato.cli.following import follow
from sfumato.cli.narrowing import Narrowed, narrowed
from sfumato.cli.speech import answer, counts, opened, pairs

if TYPE_CHECKING:
    from sfumato.actions import Workspace
    from sfumato.data.narrowing import Where

app = typer.Typer(add_completion=False)
Label = Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="A dataset as it is now, or a frozen version.")]
Frozen = Annotated[str, typer.Argument(metavar="NAME@VERSION", help="A frozen version; NAME is the newest.")]


def chosen(meant: Narrowed, workspace: "Workspace") -> "Where":
    """The pictures that the flags mean: all of them where nothing is said."""
    from sfumato.data.narrowing import Where

    return meant.where(workspace) if meant.given else Where()


@app.command()
@narrowed
def export(
    *,
    context: typer.Context,
    meant: Narrowed,
    data: Frozen,
    to: Annotated[str, typer.Option(metavar="FORM", help="imagefolder, webdataset, parquet or tfrecord.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder.")],
) -> None:
    """Write a frozen version, or a slice of it, in a form that other tools read, with its licences and documents.

    Example: `sfumato data export emoji-styles@latest ./emoji --to imagefolder`
    """
    from sfumato.data.exports.asking import export as ask_to_export

    with opened(context) as workspace:
        asked = ask_to_export(workspace, data=data, form=to, folder=folder, where=chosen(meant, workspace))
        result = follow(context, workspace, asked).result or {}
    left = f" Left out: {counts(result['left_out'])}." if result.get("left_out") else ""
    answer(context, result, lambda: f"Wrote {result['n']:,} pictures of {result['version']} to {folder}.{left}")


@app.command()
@narrowed
def table(
    *,
    context: typer.Context,
    meant: Narrowed,
    data: Label,
    out: Annotated[Path, typer.Option(metavar="FILE", help="A file that ends with .csv, .parquet or .jsonl.")],
) -> None:
    """Write the pictures of a dataset as a table: one row for each, with all that is known of it.

    Example: `sfumato data table emoji-styles --out items.csv`
    """
    from sfumato.data.tables import items

    with opened(context) as workspace:
        found = items(workspace, data, where=chosen(meant, workspace))
        path = found.write(out)
    answer(context, {"path": path, "n": len(found)}, lambda: f"Wrote {len(found):,} rows to {path}.")


@app.command()
def datasheet(
    context: typer.Context,
    data: Label,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it to .md, .html or .json.")] = None,
) -> None:
    """Show the datasheet of a dataset or of a version: what is measured, and which questions are open.

    Example: `sfumato data datasheet emoji-styles@latest --out datasheet.html`
    """
    from sfumato.data.datasheet import datasheet as read_datasheet
    from sfumato.data.sheets import head_of, written
    from sfumato.store.files import write_whole

    with opened(context) as workspace:
        sheet = read_datasheet(workspace, name=data)
    if out is not None:
        write_whole(out.expanduser(), written(sheet, out.suffix).encode())
        answer(context, {"path": out, "open": sheet.open_questions}, lambda: f"Wrote {out}. {head_of(sheet)}")
        return
    told = [
        (one.key, "\n".join(filter(None, [one.measured, one.answer])) or ("open" if one.open else ""))
        for section in sheet.sections for one in section.questions
    ]  # fmt: skip
    answer(context, sheet, lambda: pairs([("datasheet", f"{sheet.title}: {head_of(sheet)}"), *told]))


@app.command("answer")
def answer_question(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")],
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="Its short name, as the datasheet shows it.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The answer; an empty one opens the question again.")],
    revision: Annotated[int | None, typer.Option(metavar="N", help="The answer that was read, 0 for none.")] = None,
) -> None:
    """Answer a question of a dataset's datasheet that nothing measures.

    Example: `sfumato data answer emoji-styles purpose "To teach a small model what emoji look like"`
    """
    from sfumato.data.datasheet import answer_question as write_answer

    with opened(context) as workspace:
        now = write_answer(workspace, name=name, question=question, text=text, revision=revision)
    answer(context, {"question": question, "revision": now}, lambda: f"Answered '{question}' of {name}.")


@app.command()
def croissant(
    context: typer.Context,
    data: Frozen,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it here, beside the list it names.")] = None,
) -> None:
    """Describe a frozen version for machines: Croissant 1.1, with the list of its pictures beside it.

    Example: `sfumato data croissant emoji-styles@latest --out croissant.json`
    """
    from sfumato.data.croissant import as_text
    from sfumato.data.croissant import croissant as describe
    from sfumato.data.versions import open_version
    from sfumato.store.files import write_whole

    with opened(context) as workspace:
        told = describe(workspace, name=data)
        if out is None:
            answer(context, told, lambda: json.dumps(told, ensure_ascii=False, indent=1))
            return
        version = open_version(workspace, data)
        beside = out.expanduser().with_name(told["distribution"][0]["name"])
        write_whole(beside, workspace.store.get(version.content_hash))
        write_whole(out.expanduser(), as_text(told).encode())
    answer(context, {"path": out, "list": beside}, lambda: f"Wrote {out} and {beside.name}.")
