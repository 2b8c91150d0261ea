"""One holds a lock, and the others are told who."""

import fcntl
import threading
import time

import pytest

from warehouse import locks


def test_one_holds_and_the_others_are_told_who(tmp_path):
    path = tmp_path / "x.lock"
    with (
        locks.hold(path, "先到的人"),
        pytest.raises(locks.HeldError, match="先到的人"),
        locks.hold(path),
    ):
        pass
    with locks.hold(path):
        assert "始于" in path.read_text(encoding="utf-8")


def test_who_comes_between_the_lock_and_the_name_is_told_the_name(tmp_path):
    """A start that meets the holder before its name is written waits for the name."""
    path = tmp_path / "x.lock"
    with path.open("w", encoding="utf-8") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)

        def name_it():
            time.sleep(0.1)
            holder.write("迟写的名字")
            holder.flush()

        late = threading.Thread(target=name_it)
        late.start()
        with pytest.raises(locks.HeldError, match="迟写的名字"), locks.hold(path):
            pass
        late.join()


def test_a_lock_let_go_names_nobody(tmp_path):
    path = tmp_path / "x.lock"
    with pytest.raises(RuntimeError, match="broken"), locks.hold(path, "甲"):
        raise RuntimeError("broken")
    assert path.read_bytes() == b""
    with locks.hold(path, "乙", wait=True):
        assert locks.is_held(path) in (True, None)
