"""The example: a short run as people start it, and the parts that count."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from stdlib_names.counting import NotParsed, library_files, names_used, package_of
from stdlib_names.report import Totals, counted_plainly, difference, totals_of

RUN = Path(__file__).resolve().parents[2] / "examples" / "stdlib_names" / "run.py"
SHORT = ["--limit", "60", "--workers", "2", "--timeout", "90"]


def run(directory, *arguments):
    """Run the example in a directory of its own; what it printed."""
    ended = subprocess.run(
        [sys.executable, str(RUN), *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_short_run_agrees_with_a_plain_count(tmp_path):
    """Sixty files, two workers: table, totals, and nothing is left behind but the picture."""
    printed = run(tmp_path, *SHORT, "--picture", "names.svg")
    assert "What the standard library uses most" in printed
    assert "totals agree: 60 files, " in printed
    assert {path.name for path in tmp_path.iterdir()} <= {"names.svg"}


def test_killed_worker_changes_nothing(tmp_path):
    """A worker is killed with a unit in its hands: the totals are the same."""
    printed = run(tmp_path, *SHORT, "--kill-one", "--lease", "2", "--no-picture")
    assert "(SIGKILL) while it held" in printed
    assert "totals agree: 60 files, " in printed


def test_time_limit_ends_the_run(tmp_path):
    """It never hangs: when the time is up it says so, and its exit status is 1."""
    command = [sys.executable, str(RUN), "--no-picture", "--workers", "1", "--timeout", "0.5"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "run.py: not done after 0.5 s" in ended.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_interrupt_cleans_up(tmp_path):
    """Ctrl-C stops server and workers; the run says so and leaves no process behind."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with subprocess.Popen(
        [sys.executable, "-u", str(RUN), "--no-picture"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("server on ")
        process.send_signal(signal.SIGINT)
        _printed, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "run.py: interrupted; server and workers are stopped\n"
    assert list(temporary.iterdir()) == []


def test_names_are_those_that_are_read(tmp_path):
    """Assigning is no use; attributes and arguments are no names."""
    file = tmp_path / "a.py"
    file.write_text("x = len(y)\nx.z = len(x)\ndef f(q): return q\n")
    assert names_used(file) == Counter({"len": 2, "x": 2, "y": 1, "q": 1})


def test_files_that_are_not_python_are_told(tmp_path):
    """Not the grammar, not the encoding, not text: each is a file that was not parsed."""
    for bad in [b"print 1", b"\xff", b"# coding: nonsense\n", b"\0"]:
        file = tmp_path / "a.py"
        file.write_bytes(bad)
        with pytest.raises(NotParsed):
            names_used(file)


def test_library_is_found_without_what_is_installed_in_it():
    """Files of the library itself, some of each kind, and no packages of others."""
    files = library_files()
    assert {"abc.py", "json/decoder.py"} <= set(files)
    assert not [name for name in files if "site-packages" in name]
    assert [package_of(name) for name in ("abc.py", "json/decoder.py")] == ["abc", "json"]


def test_differences_are_named():
    """A sum that is off is told by what it is off in."""
    library = library_files()
    expected = counted_plainly({name: library[name] for name in ("abc.py", "json/decoder.py")})
    units = [
        (package, {"files": 1, "not_parsed": 0, "names": names})
        for package, names in expected.packages.items()
    ]
    assert difference(totals_of(units), expected) == ""
    units[0][1]["names"] = {}
    told = difference(totals_of(units), expected)
    assert told.startswith("uses: ")
    assert "package 'abc'" in told
    assert "files: 0 found" in difference(Totals(), expected)
