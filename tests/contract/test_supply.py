"""What the project is made of: pages and bills follow the lock, and an audit that was none says so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench import supply

ROOT = Path(__file__).resolve().parents[2]
WANTED = {("alpha", "1.0"), ("beta", "2.0")}


def answer(**vulnerable):
    rows = [{"name": name, "version": version, "vulns": vulnerable.get(name, [])}
            for name, version in sorted(WANTED)]  # fmt: skip
    return json.dumps({"dependencies": rows})


FAULT = [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]
NOT_ALL = json.dumps({"dependencies": [{"name": "Alpha", "version": "1.0", "vulns": []}]})
SKIPPED = json.dumps({"dependencies": [{"name": "alpha", "skip_reason": "not on PyPI"}]})


@pytest.mark.parametrize(
    ("said", "complaint", "code", "word"),
    [
        (answer(), "", 0, "audited 2 packages = locked; 0 known"),
        (answer(alpha=FAULT), "", 1, "alpha 1.0: PYSEC-1, mended in 1.1"),
        (NOT_ALL, "", 4, "1 locked packages were not looked at: beta 2.0"),
        (SKIPPED, "", 4, "2 locked packages were not looked at"),
        ("", "ProxyError: refused", 4, "NOT AUDITED: the advisory source could not be asked (ProxyError"),
        ("[]", "", 4, "NOT AUDITED"),
    ],
    ids=["clean", "vulnerable", "left out", "skipped", "unreachable", "another answer"],
)  # fmt: skip
def test_an_audit_says_whether_it_was_one(said, complaint, code, word):
    found, words = supply.judged(said, complaint, WANTED)
    assert found == code and word in words


def test_the_licence_page_lists_every_installed_package_of_the_lock():
    rows = re.findall(r"^\| ([a-z0-9-]+) \| ([^ |]+) \| (.+) \|$",
                      (ROOT / "docs" / "licences.md").read_text("utf-8"), re.M)  # fmt: skip
    listed = {(name, version) for name, version, _ in rows}
    missing = (supply.locked(dev=True) & supply.installed().keys()) - listed
    assert not missing, "run make licences"
    assert not [name for name, _, licence in rows if licence == "not stated"]


def test_the_bill_of_materials_is_the_lock_and_the_same_each_time():
    once, twice = supply.sbom(), supply.sbom()
    assert once == twice and (once["bomFormat"], once["specVersion"]) == ("CycloneDX", "1.5")
    assert len(once["components"]) == len(supply.locked()) > 80
    assert all(part["purl"].startswith("pkg:pypi/") for part in once["components"])


def test_every_file_of_the_lock_has_its_hash():
    lock = (ROOT / "uv.lock").read_text("utf-8")
    files = re.findall(r"\{ url = \"[^\"]+\"(.*?)\}", lock)
    assert len(files) > 500 and all("sha256:" in rest for rest in files)
