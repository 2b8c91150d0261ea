"""What parkwatch is made of: licences, bill of materials, known vulnerabilities, wheels for closed networks.

Belongs here: the commands behind ``make licences sbom audit wheelhouse``. Does not belong here: choosing
versions (``pyproject.toml``, ``uv.lock``).

    python -m bench.supply licences > docs/licences.md
    python -m bench.supply sbom var/sbom.cdx.json
    python -m bench.supply audit          exit 0 audited and clean, 1 vulnerable, 4 not audited
    python -m bench.supply wheelhouse var/wheelhouse
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOT_AUDITED = 4
BUILD = ("hatchling==1.28.0", "editables>=0.5")
"""What installing the checkout itself needs, besides its dependencies."""
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")


def uv(*words: str) -> str:
    """Output of the pinned uv; subprocess.CalledProcessError when it fails."""
    command = [str(Path(sys.executable).with_name("uv")), *words]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return told.stdout


def locked(*, dev: bool = False) -> set[tuple[str, str]]:
    """Name and version of every package the lock installs, here or under another Python."""
    words = ["export", "--frozen", "--no-hashes", "--no-emit-project", "--no-header"]
    return pinned(uv(*words, *([] if dev else ["--no-dev"])))


def pinned(requirements: str) -> set[tuple[str, str]]:
    """Names (as PyPI normalises them, PEP 503) and versions in a requirements file."""
    found = (_PINNED.match(line) for line in requirements.splitlines())
    return {(normal(match[1]), match[2]) for match in found if match}


def normal(name: str) -> str:
    """A package's name as everybody writes it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[tuple[str, str], metadata.PackageMetadata]:
    """Name and version → metadata of what this environment holds."""
    return {(normal(d.metadata["Name"]), d.version): d.metadata for d in metadata.distributions()}


# --- licences -------------------------------------------------------------------------------------


def licence_of(about: metadata.PackageMetadata) -> str:
    """What a distribution's own metadata says: expression (PEP 639), else classifiers, else a word."""
    if said := about.get("License-Expression"):
        return str(said)
    classes = [text for text in about.get_all("Classifier") or () if text.startswith("License ::")]
    named = sorted({text.rpartition(" :: ")[2] for text in classes} - {"OSI Approved"})
    if named:
        return "; ".join(named)
    return " ".join(str(about.get("License") or "").split("\n")[0].split())[:80] or "not stated"


def licences() -> str:
    """The page: every installed package the lock names, by group."""
    run, everything = locked(), locked(dev=True)
    here = installed()
    lines = [
        "# Licences", "",
        "Made by `make licences` from the metadata of the installed packages (Linux, CPython",
        f"{sys.version_info.major}.{sys.version_info.minor}); versions are those of `uv.lock`. "
        "parkwatch itself: Apache-2.0.", "",
    ]  # fmt: skip
    for title, group in (("Installed with parkwatch", run), ("Development only", everything - run)):
        lines += [f"## {title}", "", "| package | version | licence |", "|---|---|---|"]
        for name, version in sorted(group & here.keys()):
            lines.append(f"| {name} | {version} | {licence_of(here[name, version])} |")
        lines.append("")
    return "\n".join(lines)


# --- bill of materials ----------------------------------------------------------------------------


def sbom() -> dict[str, Any]:
    """CycloneDX 1.5 of the lock, the same for the same lock (no time, no random number).

    Raises ValueError when its components are not exactly the locked packages.
    """
    made: dict[str, Any] = json.loads(
        uv("export", "--frozen", "--no-dev", "--format", "cyclonedx1.5")
    )
    digest = hashlib.sha256((ROOT / "uv.lock").read_bytes()).hexdigest()
    made["metadata"].pop("timestamp", None)
    made["serialNumber"] = uuid.UUID(bytes=bytes.fromhex(digest)[:16], version=5).urn
    listed = {(normal(part["name"]), part["version"]) for part in made["components"]}
    if listed != locked():
        raise ValueError(f"not the lock: {sorted(listed ^ locked())}")
    return made


# --- vulnerabilities ------------------------------------------------------------------------------


def audit() -> int:
    """Ask the advisory source about every locked package; says plainly when nothing was audited."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text(uv("export", "--frozen", "--no-dev", "--no-emit-project"), "utf-8")
        command = [str(Path(sys.executable).with_name("uv")), "run", "--frozen", "--isolated",
                   "--only-group", "audit", "pip-audit", "--strict", "--require-hashes",
                   "--disable-pip", "--progress-spinner", "off", "--format", "json",
                   "-r", str(file)]  # fmt: skip
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    code, words = judged(told.stdout, told.stderr, locked() & installed().keys())
    print(words)
    return code


def judged(answer: str, complaint: str, wanted: set[tuple[str, str]]) -> tuple[int, str]:
    """Exit code and words for what pip-audit said. Audited must be locked: an answer that leaves a
    package out, or none at all, is no audit."""
    try:
        rows = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = complaint.strip().splitlines()[-1:] or ["no answer"]
        return NOT_AUDITED, f"NOT AUDITED: the advisory source could not be asked ({why[0][:300]})"
    seen = {(normal(row["name"]), row["version"]) for row in rows if "version" in row}
    missing = sorted(wanted - seen)
    if missing:
        names = ", ".join(f"{name} {version}" for name, version in missing[:10])
        return (
            NOT_AUDITED,
            f"NOT AUDITED: {len(missing)} locked packages were not looked at: {names}",
        )
    bad = [(row["name"], row["version"], v) for row in rows for v in row.get("vulns", ())]
    lines = [
        f"{name} {version}: {v['id']}, mended in {', '.join(v['fix_versions']) or 'no version yet'}"
        for name, version, v in bad
    ]
    lines.append(f"audited {len(seen)} packages = locked; {len(bad)} known vulnerabilities")
    return int(bool(bad)), "\n".join(lines)


# --- wheels for closed networks -------------------------------------------------------------------


def wheelhouse(folder: Path) -> None:
    """Wheels of everything the lock installs here, checked against its hashes, and their digests.

    Packages that come only as source are built now: a closed network has no compiler to spare.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hashed = folder / ".hashed.txt"
    hashed.write_text(
        uv("export", "--frozen", "--no-dev", "--no-emit-project", "--no-header"), "utf-8"
    )
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet",
           "--wheel-dir", str(folder)]  # fmt: skip
    subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", str(hashed)], check=True)
    subprocess.run([*pip, *BUILD], check=True)
    hashed.unlink()
    wheels = sorted(folder.glob("*.whl"))
    names = [wheel.name.split("-")[:2] for wheel in wheels]
    pins = "".join(f"{normal(name)}=={version}\n" for name, version in names)
    (folder / "requirements.txt").write_text(pins, "utf-8")
    sums = "".join(f"{hashlib.sha256(w.read_bytes()).hexdigest()}  {w.name}\n" for w in wheels)
    (folder / "SHA256SUMS").write_text(sums, "utf-8")
    size = sum(wheel.stat().st_size for wheel in wheels) / 2**20
    print(f"{folder}: {len(wheels)} wheels, {size:.0f} MiB")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["licences", "sbom", "audit", "wheelhouse"])
    parser.add_argument("to", nargs="?", type=Path)
    said = parser.parse_args()
    if said.what == "audit":
        return audit()
    if said.what == "licences":
        print(licences(), end="")
    elif said.what == "sbom":
        text = json.dumps(sbom(), indent=1, sort_keys=True) + "\n"
        target = said.to or ROOT / "var" / "sbom.cdx.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        print(target)
    else:
        wheelhouse(said.to or ROOT / "var" / "wheelhouse")
    return 0


if __name__ == "__main__":
    sys.exit(main())
