"""Drawings of Debian's package come with what their RDF says; what says nothing of its licence is not given one."""

import pytest
from sqlalchemy import select

from sfumato.data.pictures import draw_svg
from sfumato.data.records import Item
from sfumato.data.sources.openclipart import plain
from sfumato.errors import NotFound

RDF = """<metadata><rdf:RDF xmlns:cc="http://web.resource.org/cc/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><cc:Work rdf:about=""><dc:title>{title}</dc:title>
 <dc:subject><rdf:Bag><rdf:li>unsorted</rdf:li><rdf:li>whale</rdf:li></rdf:Bag></dc:subject>
 <dc:creator><cc:Agent><dc:title>Maker M.</dc:title></cc:Agent></dc:creator>{licence}</cc:Work></rdf:RDF></metadata>"""
PUBLIC = '<cc:license rdf:resource="http://web.resource.org/cc/PublicDomain"/>'
GPL = '<cc:license rdf:resource="http://creativecommons.org/licenses/GPL/2.0/"/>'
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" viewBox="0 0 9 9">{}'
    '<rect width="9" height="9"/></svg>'
)


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "svg"
    (folder / "animals").mkdir(parents=True)

    def put(name, svg):
        (folder / "animals" / name).write_text(svg)

    put("blue_whale_01.svg", HEAD.format("36pt", "1in", RDF.format(title="A blue whale", licence=PUBLIC)))
    put("switch.svg", HEAD.format("9", "9", RDF.format(title="clip art by somebody", licence=GPL)))
    put("no-word.svg", HEAD.format("100%", "100%", ""))
    put("entity.svg", '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY ns "http://www.w3.org/2000/svg">]>'
        '<svg xmlns="&ns;" width="9" height="9"><foreignObject><i/></foreignObject><rect width="5" height="5"/></svg>')
    put("script.svg", HEAD.format("9", "9", "<script>alert(1)</script>"))
    (folder / "animals" / "copy.svg").symlink_to("switch.svg")
    (folder / "animals" / "out.svg").symlink_to("/etc/hostname")
    return folder


def test_titles_makers_and_licences_come_from_each_file(workspace, package, collect):
    found = collect("openclipart", path=str(package))
    with workspace.read() as session:
        items = {row.key.rpartition("/")[2]: row for row in session.scalars(select(Item))}
    assert (found.n, found.left_out) == (5, {"unsafe SVG": 1, "unreadable": 1})
    assert items["copy.svg"].sha256 == items["switch.svg"].sha256
    whale = items["blue_whale_01.svg"]
    assert (whale.name, whale.tags, whale.author) == ("A blue whale", ["whale"], "Maker M.")
    assert (whale.licence, whale.category, whale.source) == ("CC-PDDC", "animals", "Debian openclipart-svg")
    assert whale.evidence["licence"]["value"] == "http://web.resource.org/cc/PublicDomain"
    assert (items["switch.svg"].licence, items["switch.svg"].name) == ("GPL-2.0-only", "switch")
    assert (items["no-word.svg"].licence, items["no-word.svg"].name) == ("NOASSERTION", "no word")
    assert b"foreignObject" not in workspace.store.get(items["entity.svg"].sha256)


@pytest.mark.parametrize("side", ["36pt", "9", "100%", "1in"])
def test_sizes_are_drawn_as_they_are_told(side):
    drawing = HEAD.format(side, side, "")
    assert plain(drawing) == drawing
    assert draw_svg(drawing, 20).getbbox() == (0, 0, 20, 20)
    assert plain("no drawing") == "no drawing"


def test_without_the_package_it_is_told_how_to_get_it(collect, tmp_path):
    with pytest.raises(NotFound, match="is not there") as told:
        collect("openclipart", path=str(tmp_path / "none"))
    assert "apt-get install openclipart-svg" in told.value.hint
