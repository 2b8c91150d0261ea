"""Raster (点阵): a chart's drawing as PNG, for mail and Word, which show no SVG everywhere.

Belongs here: turning SVG into PNG with the bundled fonts, by typst. Does not belong here: drawing
(``charts``, ``uncertain``) or where the picture stands.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from assets.bulletins import fonts

if TYPE_CHECKING:
    import typst

PAD = 8
"""White border in pixels of the drawing: on a dark screen the picture keeps its own ground."""
SCALE = 2
"""Pixels of the picture for one of the drawing."""


class RasterError(RuntimeError):
    """typst refused the drawing."""


@lru_cache(maxsize=64)
def to_png(svg: str) -> bytes:
    """The drawing on white at double size; same drawing → same bytes."""
    import typst

    width, height = size_of(svg)
    page = (
        f"#set page(width: {width + 2 * PAD}pt, height: {height + 2 * PAD}pt, margin: {PAD}pt)\n"
        f'#image(bytes(sys.inputs.svg), format: "svg", width: {width}pt)'
    )
    try:
        made = typst.compile(
            page.encode(),
            format="png",
            ppi=72 * SCALE,
            font_paths=_faces(),
            sys_inputs={"svg": svg},
        )
    except typst.TypstError as error:
        raise RasterError(str(error)) from error
    if not isinstance(made, bytes):
        raise RasterError("typst returned no single picture")
    return made


@cache
def _faces() -> typst.Fonts:
    """The bundled faces, read once."""
    import typst

    folder = str(fonts.choose().folder)
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]
    )


def size_of(svg: str) -> tuple[float, float]:
    """Width and height of a drawing in its own units."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if found is None:
        raise RasterError("drawing without a view box")
    return float(found[1]), float(found[2])
