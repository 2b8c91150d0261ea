"""A mistyped command line is answered in Chinese, with where to read on, and ends with 2."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cli.usage import in_chinese

PARKWATCH = Path(sys.executable).with_name("parkwatch")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("No such option: --hom (Possible options: --home)", "没有选项 --hom;是否想写 --home"),
        ("No such option: --hom", "没有选项 --hom"),
        ("No such command 'x'.", "没有命令 x"),
        ("No such command 'sned'. Did you mean 'send'?", "没有命令 sned;是否想写 send"),
        ("File '/etc' is a directory.", "/etc 是目录,应为文件"),
        ("Missing argument 'PATHS...'.", "缺少 PATHS..."),
        ("Missing option '--period'.", "缺少 --period"),
        ("Got unexpected extra argument (x y)", "多写了 x y"),
        ("Option '--period' requires an argument.", "选项 --period 后面应写一个值"),
        ("Invalid value for '--rows': 'x' is not a valid integer.", "--rows 的值不对:“x”不是整数"),
        ("Invalid value for 'PATHS...': Path '/x' does not exist.", "PATHS... 的值不对:找不到 /x"),
        ("something new", "something new"),
    ],
)
def test_messages_of_the_library(message, said):
    assert in_chinese(message) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stats"], "没有命令 stats;是否想写 status 或 targets\n用法:parkwatch --help"),
        (["lock"], "缺少 period(报告期 YYYY-MM)\n用法:parkwatch lock --help"),
        (["run", "--hom", "x"], "没有选项 --hom;是否想写 --home\n用法:parkwatch run --help"),
        (["ingest", "/nonexistent-file"], "找不到 /nonexistent-file\n用法:parkwatch ingest --help"),
    ],
)
def test_what_the_command_says(words, said):
    told = subprocess.run([PARKWATCH, *words], capture_output=True, text=True, check=False)
    assert told.returncode == 2 and told.stdout == ""
    assert said in told.stderr
