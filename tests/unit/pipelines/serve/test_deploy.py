"""Shipped configurations are accepted by the programs they are for, where those are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.certificates import self_signed

DEPLOY = Path(__file__).resolve().parents[4] / "deploy"


def program(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"没有安装 {name}，未检查它的配置")
    return found


def ran(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_nginx_accepts_its_configuration(tmp_path):
    nginx = program("nginx")
    self_signed(tmp_path)
    site = (DEPLOY / "nginx.conf").read_text().replace("/etc/parkwatch/tls", str(tmp_path))
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\nhttp {{\n{site}\n}}\n"
    )
    code, said = ran(nginx, "-t", "-q", "-c", whole, "-p", tmp_path)
    assert code == 0, said


def test_caddy_accepts_its_configuration():
    code, said = ran(program("caddy"), "validate", "--adapter", "caddyfile",
                     "--config", DEPLOY / "Caddyfile")  # fmt: skip
    assert code == 0, said


def test_systemd_accepts_the_unit(tmp_path):
    analyze = program("systemd-analyze")
    unit = (DEPLOY / "parkwatch.service").read_text()
    command = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    assert command.endswith("/parkwatch serve")
    file = tmp_path / "parkwatch.service"
    file.write_text(unit.replace(command, "ExecStart=/bin/true"))
    code, said = ran(analyze, "verify", "--recursive-errors=no", file)
    wrong = [line for line in said.splitlines() if "parkwatch" in line]
    assert (code, wrong) == (0, []), said


def test_names_and_addresses_agree():
    """All three speak of the address serve listens on by default."""
    from warehouse.workspace import Serving

    there = f"127.0.0.1:{Serving().port}"
    assert there in (DEPLOY / "nginx.conf").read_text()
    assert there in (DEPLOY / "Caddyfile").read_text()
    for header in ("Host $host", "X-Forwarded-Proto $scheme", "Upgrade $http_upgrade"):
        assert header in (DEPLOY / "nginx.conf").read_text()
