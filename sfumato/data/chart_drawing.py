"""Draws one Vega-Lite document from stdin to stdout, without any network. python -m sfumato.data.chart_drawing KIND"""

import sys

import vl_convert

GRAMMAR = "6.4"  # the version that documents are drawn by
SCALE = 2.0  # pixels of a PNG per unit of the document


def draw(document: str, kind: str) -> bytes:
    """A Vega-Lite document as "svg" or "png"; what it would have to fetch is refused."""
    if kind == "svg":
        drawn: str = vl_convert.vegalite_to_svg(document, vl_version=GRAMMAR, allowed_base_urls=[])
        return drawn.encode()
    found: bytes = vl_convert.vegalite_to_png(document, vl_version=GRAMMAR, scale=SCALE, allowed_base_urls=[])
    return found


if __name__ == "__main__":
    sys.stdout.buffer.write(draw(sys.stdin.buffer.read().decode(), sys.argv[1]))
