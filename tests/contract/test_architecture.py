"""Habits of the house that a newcomer relies on."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pipelines", "assets", "methods", "quality", "warehouse", "tests/support")


def test_every_module_says_what_belongs_in_it_and_what_does_not():
    silent = []
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
        said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        told = " ".join(said.split())
        if "vendor" not in path.parts and not (
            "Belongs here: " in told and re.search(r"Does not belong here: |Nothing else", told)
        ):
            silent.append(str(path.relative_to(ROOT)))
    assert silent == []


def test_templates_hold_no_python():
    assert not list((ROOT / "report_templates").rglob("*.py"))


def test_dictionary_page_is_up_to_date():
    from warehouse.catalog.load import load_catalog
    from warehouse.dictionary import markdown

    page = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert page == markdown(load_catalog(None)), "run: make dictionary"


def test_repository_names_no_path_of_a_machine():
    words = ("/work/", "../shared/re", "/root/")
    suffixes = {".py", ".md", ".yaml", ".toml", ".sql", ".j2", ".typ"}
    for path in ROOT.rglob("*"):
        hidden = any(part.startswith(".") or part == "var" for part in path.relative_to(ROOT).parts)
        if path.suffix in suffixes and not hidden and path.name != Path(__file__).name:
            text = path.read_text(encoding="utf-8")
            assert not [word for word in words if word in text], path
