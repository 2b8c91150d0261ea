"""Real mail servers of Debian with private configurations: exim as mail server, dovecot for IMAP.

Belongs here: starting and stopping them on high ports of this machine. Does not belong here: what
is
expected of them. Both need root to change to their own users; without them tests are skipped.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from tests.support.certificates import Authority

EXIM, DOVECOT = "/usr/sbin/exim4", "/usr/sbin/dovecot"
USER, PASSWORD, IMAP_PASSWORD = "bulletin", "open-sesame", "read-me-7"


def why_not() -> str:
    """Why the servers cannot be started here, empty when they can."""
    missing = [path for path in (EXIM, DOVECOT) if not os.access(path, os.X_OK)]
    if missing:
        return f"not installed: {', '.join(missing)} (apt install exim4-daemon-light dovecot-imapd)"
    return "" if os.geteuid() == 0 else "needs root to start exim and dovecot under their users"


class Post:
    """A bureau's mail server: SMTP with STARTTLS and AUTH, IMAP over what arrived at it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.smtp, self.imaps = _free_port(), _free_port()
        authority = Authority(folder, "authority")
        authority.server_context("127.0.0.1")
        self.ca = authority.file
        self.certificate = folder / "127.0.0.1-30.pem"

    def box(self, name: str) -> list[bytes]:
        """What lies in a mailbox."""
        return [f.read_bytes() for f in sorted((self.folder / name / "new").glob("*"))]


@contextmanager
def running():
    """The servers, stopped and cleaned up afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="post-", dir="/tmp"))
    post = Post(folder)
    user = pwd.getpwnam("Debian-exim")
    for name in ("inbox", "journal", "returned", "spool", "log", "run"):
        (folder / name).mkdir()
    (folder / "exim.conf").write_text(_EXIM.format(d=folder, p=post), encoding="ascii")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    os.chown(folder / "run", 0, 0)
    os.chown(folder / "exim.conf", 0, 0)
    folder.chmod(0o755)
    (folder / "dovecot.conf").write_text(
        _DOVECOT.format(d=folder, p=post, uid=user.pw_uid, gid=user.pw_gid), encoding="ascii"
    )
    started = [
        subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for words in (
            [EXIM, "-C", str(folder / "exim.conf"), "-bdf", "-q1m"],
            [DOVECOT, "-F", "-c", str(folder / "dovecot.conf")],
        )
    ]
    try:
        for port in (post.smtp, post.imaps):
            _wait_for(port, folder)
        yield post
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port: int, folder: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    said = [f.read_text(errors="replace")[-1500:] for f in folder.glob("**/*log") if f.is_file()]
    raise AssertionError(f"nothing listens on {port}: {said}")


_EXIM = """
spool_directory = {d}/spool
log_file_path = {d}/log/%slog
pid_file_path = {d}/spool/exim.pid
primary_hostname = mx.bureau.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = {p.smtp}
exim_user = Debian-exim
exim_group = Debian-exim
never_users =
tls_advertise_hosts = *
tls_certificate = {p.certificate}
tls_privatekey = {p.certificate}
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
message_size_limit = 2M
qualify_domain = bureau.test
acl_smtp_rcpt = rcpt
acl_smtp_data = accept

begin acl
rcpt:
  deny    !authenticated = *
          message = authenticate first
  deny    local_parts = nobody
          message = user unknown
  defer   local_parts = grey
          message = greylisted, come again
  accept

begin routers
gone:
  driver = redirect
  local_parts = gone
  data = :fail: mailbox was closed
  allow_fail
journal:
  driver = accept
  local_parts = journal
  transport = journal
returned:
  driver = accept
  local_parts = bulletin
  transport = returned
others:
  driver = accept
  transport = inbox

begin transports
journal:
  driver = appendfile
  maildir_format
  directory = {d}/journal
  user = Debian-exim
returned:
  driver = appendfile
  maildir_format
  directory = {d}/returned
  user = Debian-exim
inbox:
  driver = appendfile
  maildir_format
  directory = {d}/inbox
  envelope_to_add
  user = Debian-exim

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{bulletin}}}}{{eq{{$auth3}}{{open-sesame}}}}}}}}
  server_set_id = $auth2
"""

_DOVECOT = """
protocols = imap
base_dir = {d}/run
log_path = {d}/dovecot.log
listen = 127.0.0.1
ssl = required
ssl_cert = <{p.certificate}
ssl_key = <{p.certificate}
mail_location = maildir:{d}/%u
first_valid_uid = 1
first_valid_gid = 0
passdb {{
  driver = static
  args = password=read-me-7
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={d}
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {p.imaps}
    ssl = yes
  }}
}}
"""
