"""A layout from the fields of its file, with the problems a catalogue would show.

Belongs here: what tests of reading need of a layout file. Does not belong here: made-up workbooks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from warehouse.catalog.layouts import Layout
from warehouse.catalog.problems import CatalogError, Origin, validation_problems


def parse_layout(fields: Mapping[str, Any], file: str = "layouts/t.yaml") -> Layout:
    """The layout. Raises `CatalogError` naming file, key and remedy."""
    try:
        return Layout.model_validate(dict(fields))
    except ValidationError as error:
        raise CatalogError(list(validation_problems(error, Layout, Origin(file), "版式"))) from None
