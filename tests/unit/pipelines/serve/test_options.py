"""What keeps serve from being started, and under which names it answers."""

from __future__ import annotations

import pytest

from pipelines.serve.options import ServeSettings, faults, host_names
from pipelines.settings import SettingsError, load_workspace
from tests.support.bureau import make_home
from warehouse.workspace import Serving


@pytest.fixture
def files(tmp_path):
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    certificate.write_text("c")
    key.write_text("k")
    key.chmod(0o600)
    return certificate, key


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.9.1"])
def test_this_machine_needs_no_tls(host):
    assert faults(Serving(host=host)) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "jiance.example.gov.cn", "::"])
def test_others_reach_it_by_tls_only(host, files):
    (told,) = faults(Serving(host=host))
    assert "口令会明文传输" in told
    assert faults(Serving(host=host), plain_accepted=True) == []
    certificate, key = files
    assert faults(Serving(host=host, certificate=certificate, key=key)) == []


def test_certificate_and_key_go_together_and_the_key_is_private(files, tmp_path):
    certificate, key = files
    assert "须同时设置" in faults(Serving(certificate=certificate))[0]
    assert "不存在" in faults(Serving(certificate=certificate, key=tmp_path / "no"))[0]
    key.chmod(0o644)
    assert "他人读取" in faults(Serving(certificate=certificate, key=key))[0]


def test_names_browsers_may_use():
    names = host_names(Serving(host="0.0.0.0", names=("Jiance.example.gov.cn",)))
    assert names == {"localhost", "127.0.0.1", "[::1]", "jiance.example.gov.cn"}
    assert "10.1.2.3" in host_names(Serving(host="10.1.2.3"))


def test_settings_say_where(tmp_path):
    home = make_home(tmp_path)
    with (home / "parkwatch.toml").open("a") as file:
        file.write('\n[serve]\nport = 8443\ncertificate = "tls/c.pem"\nkey = "/etc/k.pem"\n')
    serving = load_workspace(home).serving
    assert serving.port == 8443
    assert (serving.certificate, str(serving.key)) == (home / "tls" / "c.pem", "/etc/k.pem")
    with (home / "parkwatch.toml").open("a") as file:
        file.write("prot = 1\n")
    with pytest.raises(SettingsError, match=r"serve\.prot"):
        load_workspace(home)


def test_defaults_reach_nobody_else():
    assert ServeSettings().host == "127.0.0.1"
