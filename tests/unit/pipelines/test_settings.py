"""Settings: every problem at once, in words; environment over file over defaults."""

from __future__ import annotations

import pytest

from pipelines.settings import SettingsError, load_workspace

GOOD = '[bureau]\nname = "测试局"\n'


def settings_file(home, text):
    home.mkdir(exist_ok=True)
    (home / "parkwatch.toml").write_text(text, encoding="utf-8")
    return home


def test_defaults_are_those_of_a_chinese_bureau(tmp_path):
    workspace = load_workspace(settings_file(tmp_path, GOOD))
    assert (workspace.first_month, workspace.timezone, workspace.catalog_base) == (
        2, "Asia/Shanghai", "china_parks")  # fmt: skip
    assert not workspace.simulated


def test_a_missing_file_says_how_to_make_a_workspace(tmp_path):
    with pytest.raises(SettingsError, match=r"parkwatch init .* --example"):
        load_workspace(tmp_path / "nowhere")


def test_all_problems_are_told_at_once(tmp_path):
    text = 'default_period = "2020-13"\n[periods]\nfirst_month = 7\ntimezone = "Asia/Xian"\n'
    with pytest.raises(SettingsError) as told:
        load_workspace(settings_file(tmp_path, text))
    for word in ("bureau", "first_month", "Asia/Xian", "2020-13", "parkwatch.toml"):
        assert word in str(told.value)


def test_an_unknown_setting_is_refused_not_ignored(tmp_path):
    with pytest.raises(SettingsError, match="embargo"):
        load_workspace(settings_file(tmp_path, GOOD + "embargo = true\n"))


def test_broken_toml_names_the_file(tmp_path):
    with pytest.raises(SettingsError, match=r"parkwatch\.toml"):
        load_workspace(settings_file(tmp_path, "[bureau\n"))


def test_environment_wins_over_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("PARKWATCH_PERIODS__FIRST_MONTH", "1")
    assert load_workspace(settings_file(tmp_path, GOOD)).first_month == 1


def test_home_comes_from_the_environment(tmp_path, monkeypatch):
    settings_file(tmp_path, GOOD)
    monkeypatch.setenv("PARKWATCH_HOME", str(tmp_path))
    assert load_workspace().home == tmp_path


@pytest.mark.parametrize("example", ["shaanxi", "shanxi", "eia"])
def test_settings_of_every_example_load(example):
    from pipelines.cli.workspace import EXAMPLES

    assert load_workspace(EXAMPLES / example).default_period
