"""``[serve]`` of ``parkwatch.toml``: where browsers reach the bureau, with which certificate.

Belongs here: the section, its checks, what keeps it from being started. Does not belong here: reading
the file (``pipelines.settings``), users (``users``).
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from warehouse.workspace import Serving

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


class ServeSettings(BaseModel):
    """``[serve]``; paths hang below the workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    idle_minutes: float = Field(30, gt=0, le=480)
    session_hours: float = Field(10, gt=0, le=24)
    access_log_days: int = Field(190, ge=1)

    def options(self, home: Path) -> Serving:
        """As the gate wants it."""
        said = self.model_dump()
        for name in ("certificate", "key"):
            said[name] = home / said[name] if said[name] else None
        return Serving(**said)


def is_local(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_names(options: Serving) -> frozenset[str]:
    """Names under which browsers may ask: other ``Host`` headers are refused (DNS rebinding)."""
    own = () if options.host in ("0.0.0.0", "::") else (options.host,)
    return frozenset(name.lower() for name in (*LOCAL_NAMES, *own, *options.names))


def faults(options: Serving, *, plain_accepted: bool = False) -> list[str]:
    """What keeps it from being started, each with its mend."""
    found = []
    if (options.certificate is None) != (options.key is None):
        found.append("证书和私钥须同时设置([serve] certificate、key)")
    for words, file in (("证书", options.certificate), ("私钥", options.key)):
        if file is not None and not file.is_file():
            found.append(f"{words}文件不存在:{file}")
    if options.key is not None and options.key.is_file() and options.key.stat().st_mode & 0o077:
        found.append(f"私钥可被他人读取:chmod 600 {options.key}")
    if not is_local(options.host) and options.certificate is None and not plain_accepted:
        found.append(
            f"对 {options.host} 开放而没有 TLS,口令会明文传输。请设 [serve] certificate 和 key;"
            "或只监听 127.0.0.1,由 nginx、Caddy 提供 TLS(见 docs/serve.md);"
            "确属可信的封闭网络时加 --plain-http"
        )
    return found
