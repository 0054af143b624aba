"""A datasheet as Markdown, as a page that stands alone, and as JSON."""

import json
import re
from html import escape

from sfumato.actions import to_json
from sfumato.data.datasheet import Answered, Datasheet
from sfumato.data.decide import in_words
from sfumato.errors import InvalidInput

KINDS = {".md": "text/markdown; charset=utf-8", ".html": "text/html; charset=utf-8", ".json": "application/json"}
OPEN = "Open: nobody has answered this yet."
STYLE = """
:root { color-scheme: light dark; --ink: #1b1a17; --ground: #fbfaf7; --dim: #6d6a62; --line: #dcd8cd; --open: #8a4b00 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ece9e1; --ground: #171613; --dim: #a19d92; --line: #3a372f; --open: #e0a458 }
}
body { font: 16px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1.25rem;
  color: var(--ink); background: var(--ground) }
h1 { font-size: 1.7rem } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) } dt { font-weight: 600;
  margin-top: 1.1rem } dd { margin: .25rem 0 0; overflow-wrap: anywhere } .who { color: var(--dim) }
.open { color: var(--open) }
"""


def written(sheet: Datasheet, kind: str) -> str:
    """The datasheet as a file of this kind: .md, .html or .json; raises InvalidInput for another."""
    if kind == ".json":
        return json.dumps(to_json(sheet), ensure_ascii=False, indent=1)
    if kind not in KINDS:
        raise InvalidInput(f"'{kind}' is no kind of datasheet.", hint=f"Name one of {', '.join(KINDS)}.")
    return _html(sheet) if kind == ".html" else _markdown(sheet)


def head_of(sheet: Datasheet) -> str:
    """What the datasheet is of, when it was made, and how much of it is open."""
    n = sheet.open_questions
    still = f"{n} question{' is' if n == 1 else 's are'} open" if n else "No question is open"
    version = f", content {sheet.content_hash}" if sheet.content_hash else ", as it is now: it is not frozen"
    return f"{in_words(sheet.n)}{version}. Written on {sheet.made_on}. {still}."


def _markdown(sheet: Datasheet) -> str:
    said = [f"# Datasheet of {plain(sheet.title)}", "", head_of(sheet)]
    said += ["", "After Gebru et al., Datasheets for Datasets."]
    for section in sheet.sections:
        said += ["", f"## {section.title}"]
        for one in section.questions:
            said += ["", f"**{one.asks}**"]
            said += ["", *_measured(one)] if one.measured else []
            said += ["", *(f"> {plain(line)}" for line in one.answer.splitlines()), "", _who(one)] if one.answer else []
            said += ["", f"*{OPEN}*"] if one.open else []
    return "\n".join(said) + "\n"


def _measured(one: Answered) -> list[str]:
    first, *rest = one.measured.splitlines()
    return [f"Measured: {plain(first)}", *([""] if rest else []), *(f"- {plain(_item(line))}" for line in rest)]


def _item(line: str) -> str:
    return line.removeprefix("- ")


def plain(text: str) -> str:
    """Text that Markdown shows as it is: what people and files said forms no links, no HTML and no headings."""
    return re.sub(r"([\\`*_\[\]<>#|!])", r"\\\1", " ".join(text.split()))


def _who(one: Answered) -> str:
    return f"— {plain(one.answered_by.removeprefix('person/'))}"


def _measured_html(one: Answered) -> list[str]:
    first, *rest = one.measured.splitlines()
    items = "".join(f"<li>{escape(_item(line))}</li>" for line in rest)
    return [f"<dd>{escape(first)}</dd>", *([f"<dd><ul>{items}</ul></dd>"] if rest else [])]


def _html(sheet: Datasheet) -> str:
    body = [f"<h1>Datasheet of {escape(sheet.title)}</h1>", f"<p>{escape(head_of(sheet))}</p>"]
    for section in sheet.sections:
        body += [f"<h2>{escape(section.title)}</h2>", "<dl>"]
        for one in section.questions:
            body.append(f"<dt>{escape(one.asks)}</dt>")
            body += _measured_html(one) if one.measured else []
            if one.answer:
                answer = "<br>".join(escape(line) for line in one.answer.splitlines())
                who = escape(one.answered_by.removeprefix("person/"))
                body.append(f'<dd>{answer} <span class="who">— {who}</span></dd>')
            body += [f'<dd class="open">{OPEN}</dd>'] if one.open else []
        body.append("</dl>")
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Datasheet of {escape(sheet.title)}</title>\n<style>{STYLE}</style>\n"
        f"<body>\n{chr(10).join(body)}\n</body>\n</html>\n"
    )
