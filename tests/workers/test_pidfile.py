"""The file with the number of a worker's process."""

import os
import subprocess
import sys

import pytest

from coordinate_client.workers.pidfile import PidFileTaken, pidfile


def test_the_file_is_there_within_the_block(tmp_path):
    """And gone after it."""
    path = tmp_path / "pid"
    with pidfile(path):
        assert path.read_text() == f"{os.getpid()}\n"
        assert [one.name for one in tmp_path.iterdir()] == ["pid"]
    assert not path.exists()


def test_no_file_is_asked_for():
    """Then there is none."""
    with pidfile(None):
        pass


def test_a_process_that_lives_is_left_alone(tmp_path):
    """The message says which, and the file stays."""
    path = tmp_path / "pid"
    path.write_text(f"{os.getppid()}\n")
    with pytest.raises(PidFileTaken, match=f"as process {os.getppid()}"), pidfile(path):
        pass
    assert path.exists()


@pytest.mark.parametrize("left", ["", "rubbish", "dead", "99999999999999999999"])
def test_what_a_killed_worker_left_is_replaced(tmp_path, left):
    """So is what is no number."""
    if left == "dead":
        with subprocess.Popen([sys.executable, "-c", ""]) as ended:
            pass
        left = str(ended.pid)
    path = tmp_path / "pid"
    path.write_text(left)
    with pidfile(path):
        assert path.read_text() == f"{os.getpid()}\n"
