"""Runs killed with SIGKILL: a reader sees the old build or the new one; the same command mends it.

The long campaign (200 random moments, the sample province) is ``make torture``.
"""

from __future__ import annotations

import random

import pytest

from bench.torture.runs import Torture, county_start
from warehouse.faults import BOUNDARIES


@pytest.fixture(scope="module")
def torture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("torture")
    return Torture(folder, county_start(folder))


@pytest.mark.parametrize("name", ["publish.kept", "folder.replaced"])
def test_杀在命名的边界_或旧或新_重跑与不间断相同(torture, name):
    assert name in BOUNDARIES
    said = torture.at_boundary(name)
    assert said["reached"] and said["good"], said


def test_杀在随机时刻_或旧或新_重跑与不间断相同(torture):
    said = torture.at_moment(0, random.Random(5))
    assert said["good"], said
