"""Every campaign as one command that goes on where it stopped (``make torture``).

    python -m bench.torture.all [--scale 1] [--seed 1] [--at-once 1] [--only kills,readers] [--list]

Belongs here: the list of campaigns, what each costs at a scale, the state of each under
``var/torture``. Does not belong here: what a campaign does. State is kept by version (a digest of all
code), seed and scale: a campaign that passed with the same three is passed over, one that failed is made
again, one that was interrupted goes on where its own log allows. At the end a table of all; every
failure with the command that makes it again, seed included. Ends with 1 when one failed. What needs root
or a C compiler and has none is called NOT TRIED, never passed.

``--scale 0.1`` makes every count a tenth (never less than shows anything): a pass from end to end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.torture.spent import counted
from warehouse.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "var" / "torture"
CODE = ("assets", "bench/torture", "bench/unseen_fillings.py", "bench/unseen_forms.py", "examples",
        "methods", "pipelines", "quality", "report_templates",
        "tests/support", "warehouse", "uv.lock")  # fmt: skip
PASSED, FAILED, NOT_TRIED = "passed", "FAILED", "NOT TRIED"
LAST_LINES = 5


@dataclass(frozen=True, slots=True)
class Campaign:
    """A module and its words.

    ``counts``: option, its number at scale 1 and the least that shows anything; ``small``: words
    below scale 1; ``keeps``: option that names where it keeps what is done; ``needs``: ``root``, ``cc``.
    """

    name: str
    module: str
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    small: tuple[str, ...] = ()
    seeded: bool = True
    keeps: str = ""
    needs: str = ""

    def command(self, scale: float, seed: int, folder: Path) -> list[str]:
        """The words that start it, without the interpreter."""
        words = ["-m", self.module, *self.words, *(self.small if scale < 1 else ())]
        for option, (whole, least) in self.counts.items():
            words += [option, str(max(least, round(whole * scale)))]
        words += ["--seed", str(seed)] if self.seeded else []
        return words + ([self.keeps, str(folder / f"{self.name}.kept")] if self.keeps else [])

    @property
    def can_be_tried(self) -> bool:
        """Whether this machine has what it needs."""
        return {"": True, "root": os.geteuid() == 0, "cc": bool(shutil.which("cc"))}[self.needs]


def _torture(name: str) -> str:
    return f"bench.torture.{name}"


CAMPAIGNS = (
    Campaign("readers", _torture("readers"), {"--publications": (100, 10)}, seeded=False),
    Campaign("points", _torture("points"), small=("--every", "200"), seeded=False, needs="cc"),
    Campaign("phases", _torture("phases"), {"--moments": (500, 20)}, keeps="--log"),
    Campaign("kills", "bench.torture", {"--random": (200, 10)},
             small=("--start", "county", "--boundaries", "fork"), keeps="--log"),
    *(
        Campaign(f"mail-{part}", _torture("mail"), {"--mails": (10_000, 500), "--kills": (500, 20)},
                 ("--part", part))
        for part in ("lookup", "blind", "naive", "pace")
    ),
    Campaign("damage", _torture("damage"), {"--cases": (100, 5)}),
    Campaign("fuzz", _torture("fuzz"), {"--runs": (300_000, 3_000)}),
    Campaign("forms", "bench.unseen_forms", seeded=False),
    Campaign("replay", _torture("replay"), {"--months": (11, 2)}, keeps="--folder"),
    Campaign("decade", _torture("decade"), {"--months": (120, 24)}),
    Campaign("history", _torture("history"), {"--months": (120, 24)}, seeded=False),
    Campaign("flood", _torture("flood"), {"--files": (1500, 150)}, small=("--portions", "3")),
    Campaign("outages", _torture("outage"), words=("--part", "outages"), small=("--missed", "1,2")),
    *(
        Campaign(part, _torture("outage"), {"--kills": (50, 5), "--periods": (12, 3)}, ("--part", part))
        for part in ("workers", "daemons")
    ),
    Campaign("served", _torture("served"), {"--rounds": (50, 5), "--periods": (12, 3)}),
    Campaign("disk", _torture("machine"), {"--sizes": (50, 4)}, ("--part", "disk"),
             seeded=False, needs="root"),
    *(
        Campaign(part, _torture("machine"), words=("--part", part), seeded=False, needs="root")
        for part in ("folders", "clock")
    ),
)  # fmt: skip


# --- one campaign ---------------------------------------------------------------------------------


def version() -> str:
    """Digest of all code a campaign meets: a change of documents alone is no new version."""
    digest = hashlib.sha256()
    for place in CODE:
        files = [ROOT / place] if (ROOT / place).is_file() else sorted((ROOT / place).rglob("*"))
        for path in files:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:10]


def commit() -> str:
    """The commit, with a plus when files differ from it; empty outside a repository."""
    words = ("git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*")
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    return said.stdout.strip()


def kept(folder: Path, campaign: Campaign) -> dict[str, Any]:
    """How it ended the last time; empty when it has not."""
    path = folder / f"{campaign.name}.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def carried_out(campaign: Campaign, command: Sequence[str], folder: Path) -> dict[str, Any]:
    """Run it, its words into a log; how it ended, and what it cost with everything it started."""
    began, log = time.monotonic(), folder / f"{campaign.name}.log"
    code, spent = None, [0.0]
    if campaign.can_be_tried:
        with log.open("ab") as out, counted() as spent:
            code = subprocess.run(
                [sys.executable, *command], cwd=ROOT, stdout=out, stderr=out, check=False
            ).returncode
    result = NOT_TRIED if code is None else FAILED if code else PASSED
    said = {
        "campaign": campaign.name, "command": " ".join(["python", *command]), "result": result,
        "exit": code, "cpu_s": round(spent[0]), "seconds": round(time.monotonic() - began),
        "needs": campaign.needs, "commit": commit(), "log": str(log),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    write_whole(folder / f"{campaign.name}.json", json.dumps(said, indent=1).encode())
    return said


# --- all of them ----------------------------------------------------------------------------------


def carry_out(
    campaigns: Sequence[Campaign], told: argparse.Namespace, folder: Path
) -> list[dict[str, Any]]:
    """Every campaign that has not passed yet, each in a process of its own; how all ended."""
    folder.mkdir(parents=True, exist_ok=True)
    ended = {campaign.name: kept(folder, campaign) for campaign in campaigns}
    left = [c for c in campaigns if ended[c.name].get("result") != PASSED]
    for name in ended.keys() - {c.name for c in left}:
        ended[name]["result"] = f"{PASSED} before"
    with ProcessPoolExecutor(told.at_once, max_tasks_per_child=1) as pool:
        at_work = [
            pool.submit(carried_out, c, c.command(told.scale, told.seed, folder), folder)
            for c in left
        ]
        for done in as_completed(at_work):
            said = done.result()
            ended[said["campaign"]] = said
            print(f"{said['campaign']}: {said['result']}, {said['cpu_s']} CPU s", flush=True)
    return list(ended.values())


def report(ended: Sequence[Mapping[str, Any]], seed: int, code: str) -> int:
    """The table, then every failure with what makes it again; 1 when one failed."""
    print(f"\n{'campaign':12} {'seed':>4} {'version':10} {'commit':12} {'result':13} "
          f"{'CPU s':>6} {'s':>6}")  # fmt: skip
    for said in ended:
        print(f"{said['campaign']:12} {seed:4} {code:10} {said['commit']:12} {said['result']:13} "
              f"{said['cpu_s']:6} {said['seconds']:6}")  # fmt: skip
    for said in ended:
        if said["result"] == NOT_TRIED:
            print(f"\n{said['campaign']}: NOT TRIED, needs {said['needs']}")
    failed = [said for said in ended if said["result"] == FAILED]
    for said in failed:
        lines = Path(said["log"]).read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
        print(f"\n{said['campaign']}: FAILED ({said['exit']}), seed {seed}; again: "
              f"{said['command']}\nlog: {said['log']}")  # fmt: skip
        print("\n".join(f"  {line}" for line in lines))
    return 1 if failed else 0


def main() -> int:
    """Command line; exit code 1 when a campaign failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--only", help="names, with commas between")
    parser.add_argument("--list", action="store_true", help="only the commands")
    told = parser.parse_args()
    names = told.only.split(",") if told.only else [c.name for c in CAMPAIGNS]
    if unknown := set(names) - {c.name for c in CAMPAIGNS}:
        parser.error(f"no such campaign: {sorted(unknown)}")
    chosen, code = [c for c in CAMPAIGNS if c.name in names], version()
    folder = STATE / f"{code}-seed{told.seed}-x{told.scale:g}"
    if told.list:
        for campaign in chosen:
            print(
                f"{campaign.name}: python {' '.join(campaign.command(told.scale, told.seed, folder))}"
            )
        return 0
    return report(carry_out(chosen, told, folder), told.seed, code)


if __name__ == "__main__":
    sys.exit(main())
