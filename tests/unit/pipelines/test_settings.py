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


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "embargo = true\n",
            "bureau.embargo:没有这个字段(读到 True);处理:核对字段名，或删去该字段",
        ),
        (
            "[periods]\nfirst_mnth = 2\n",
            "periods.first_mnth:没有这个字段(读到 2);处理:是否应为“first_month”",
        ),
        ("[periods]\nfirst_month = 7\n", "periods.first_month:数值过大(读到 7);应为:界限 3"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_mend(tmp_path, more, said):
    with pytest.raises(SettingsError) as told:
        load_workspace(settings_file(tmp_path, GOOD + more))
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[bureau\n", "第1行第8列:方括号没有成对"),
        ("[bureau]\nname 测试局\n", "第2行第6列:缺少等号"),
        ("[bureau]\nname = 测试局\n", "第2行第8列:等号后的值写法不对,文字要加双引号"),
        ('[bureau]\nname = "测试局\n', "第2行第12列:引号没有成对"),
        ('[bureau]\nname = "a"\nname = "b"\n', "第3行第11列:同一个名称写了两次"),
    ],
)
def test_broken_toml_names_the_file_the_place_and_the_mistake(tmp_path, text, said):
    with pytest.raises(SettingsError, match=r"parkwatch\.toml") as told:
        load_workspace(settings_file(tmp_path, text))
    assert said in str(told.value)


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
