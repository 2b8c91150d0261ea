"""1,000 probes as each audience: ``python -m bench.probe_editions [--home WORKSPACE]``.

A probe is something an audience has no right to: the name of a park outside its scope, an amount or
growth of such a park, a score, rank chance or distance to a target where the right is missing, a figure
disclosure control hides in the public edition. It is looked for in everything that reaches the
audience: documents, mails with subject, headers, both bodies and the attachments taken out of them, and
for the public also the public site. A number the audience may see elsewhere is no probe. The ledger and
the audit log are probed with the names of all parks. Ends with 1 when anything is found.
"""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path

from assets.bulletins import select
from assets.bulletins.extract import html_text, text_of
from assets.bulletins.scope import Scope
from assets.deliveries.editions import Edition, newest, published
from bench.editions_workspace import made
from pipelines.settings import load_workspace
from tests.support.workspaces import parkwatch
from warehouse import store
from warehouse.catalog.load import Catalog, load_catalog
from warehouse.catalog.models import Audience
from warehouse.store import Warehouse

PERIOD = "2020-06"
PROBES = 1000
WORDS = {
    "ranks": ("处于末位区间", "模拟名次", "末位概率", "脱离末位", "年末名次"),
    "targets": ("低于时间进度", "完成率", "折算进度"),
    "quality": ("审核发现错误", "未报单位"),
}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--period", default=PERIOD)
    parser.add_argument("--probes", type=int, default=PROBES, help="for each audience")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parkwatch-probes-") as folder:
        home = given.home or made(Path(folder) / "home")
        leaks = _probe(home, given.period, given.probes)
    sys.exit(1 if leaks else 0)


def _probe(home: Path, period: str, probes: int) -> int:
    workspace = load_workspace(home)
    catalog = load_catalog(workspace.catalog, workspace.catalog_base)
    editions = newest(published(workspace, period))
    with Warehouse(workspace).reading() as connection:
        rows = store.fetch(
            connection,
            "SELECT audience_id, figure_id, text, unit FROM bulletins.figure WHERE period = ?",
            [period],
        )
    printed: dict[str, dict[str, str]] = {}
    for row in rows:
        printed.setdefault(row["audience_id"], {})[row["figure_id"]] = row["text"]
    audiences = {audience.audience_id: audience for audience in catalog.audiences}
    told = parkwatch("site", "--public", "--home", home)
    site = _site(home / "site-public") if told.returncode == 0 else ""
    tried: Counter[str] = Counter()
    leaks: list[str] = []
    for edition in editions:
        audience = audiences[edition.key.audience_id]
        public = audience.role == select.PUBLIC
        everything = _everything(home, edition) + (site if public else "")
        secrets = _secrets(catalog, audience, period, printed)
        draw = random.Random(audience.audience_id)
        kind = "public" if public else f"{audience.scope_level}, {len(audience.rights)} rights"
        for _ in range(probes if secrets else 0):
            secret = draw.choice(secrets)
            tried[kind] += 1
            if _stands(secret, everything):
                leaks.append(f"{audience.audience_id}: {secret}")
    leaks += _logs(home, catalog, tried)
    for kind, n in sorted(tried.items()):
        print(f"{kind}: {n:,} probes")
    print(f"together {sum(tried.values()):,} probes, leaks {len(leaks)}")
    for line in sorted(set(leaks))[:20]:
        print("  ", line)
    return len(leaks)


def _secrets(
    catalog: Catalog, audience: Audience, period: str, printed: dict[str, dict[str, str]]
) -> list[str]:
    """What the audience must not find, as it would be printed."""
    scope = Scope.of(catalog, audience.scope_code, period)
    parks = {p.park_id: p for p in catalog.parks_on(scope.day)}
    outside = {
        key for key, p in parks.items()
        if audience.scope_code not in (p.province_code, p.city_code, p.county_code, p.home_county_code)
    }  # fmt: skip
    own = printed.get(audience.audience_id, {})
    may = set(own.values())
    found = [parks[key].name for key in sorted(outside)]
    whole = {k: v for texts in printed.values() for k, v in texts.items()}
    for figure_id, text in sorted(whole.items()):
        about = next(
            (part for part in (figure_id.split("-K-"), figure_id.split("-S-")) if part[1:]), None
        )
        park = next((key for key in parks if about and f"{key}-" in about[1] + "-"), None)
        hidden = own.get(figure_id) == "—" and text != "—"
        foreign = park in outside and park is not None
        score = "-S-" in figure_id and "watch" not in audience.rights
        if (hidden or foreign or score) and len(text) > 4 and text not in may:
            found.append(text)
    rights = set(audience.rights)
    missing = {"ranks": not {"scores", "watch"} <= rights, "targets": "targets" not in rights,
               "quality": "quality" not in rights}  # fmt: skip
    return found + [word for name, words in WORDS.items() if missing[name] for word in words]


def _stands(secret: str, text: str) -> bool:
    if not re.fullmatch(r"-?[\d.]+", secret):
        return secret in text
    return re.search(rf"(?<![\d.-]){re.escape(secret)}(?![\d.])", text) is not None


def _everything(home: Path, edition: Edition) -> str:
    """All a post of this audience gets or could open."""
    files = {(edition.folder / name).read_bytes(): name for name in edition.documents}
    texts = [text_of(name, data) for data, name in files.items()]
    texts += [p.read_text(encoding="utf-8") for p in edition.folder.glob("*.html")]
    for mail in edition.mails:
        message = message_from_bytes((home / mail.file).read_bytes(), policy=policy.default)
        texts += [f"{name}: {value}" for name, value in message.items()]
        for part in message.walk():
            if part.get_content_maintype() == "text":
                texts.append(str(part.get_content()))
            elif part.get_filename():
                content = part.get_payload(decode=True)
                assert isinstance(content, bytes)
                texts.append(str(part.get_filename()))
                if content not in files and part.get_content_maintype() != "image":
                    texts.append(text_of(str(part.get_filename()), content))
    return "\n".join(texts)


def _site(folder: Path) -> str:
    return "\n".join(html_text(path.read_bytes()) for path in sorted(folder.rglob("*.html")))


def _logs(home: Path, catalog: Catalog, tried: Counter[str]) -> list[str]:
    """Names of parks in the ledger of releases and mails and in the audit log."""
    with closing(sqlite3.connect(f"file:{home / 'state.sqlite'}?mode=ro", uri=True)) as state:
        tables = [
            row[0] for row in state.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        kept = [name for name in tables if name in ("release", "audit", "mail", "returned")]
        text = "\n".join(
            str(row) for name in kept for row in state.execute(f"SELECT * FROM {name}")
        )
    found = []
    for park in catalog.parks:
        tried["ledger and audit log"] += 1
        if park.name in text:
            found.append(f"log: {park.name}")
    return found


if __name__ == "__main__":
    main()
