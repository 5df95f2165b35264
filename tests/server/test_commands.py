"""The commands of coordinated, with the server that runs, and after one that was killed."""

import json
import socket
import stat
import threading
from pathlib import Path

import pytest

from tests.server.running import run
from tests.store.test_sqlite import edit


def lines(text):
    """The lines of what a command printed."""
    return text.splitlines()


@pytest.fixture
def data(tmp_path):
    """Where the data file is."""
    return tmp_path / "coordinate.db"


@pytest.fixture
def full(start, connect, data):
    """A server with some units."""
    server = start("--data", data)
    fill(connect(server), 50)
    return server


def fill(client, number):
    """Set a spec and add units."""
    client.call("set_work_spec", {"name": "spec"})
    client.call("add_work_units", "spec", [[f"unit-{n}", {"n": n}] for n in range(number)])


def units_in(tmp_path, data):
    """The keys of the units in a file, by its export."""
    result = run(tmp_path, "export", "--data", data)
    assert result.returncode == 0, result.stderr
    found = [json.loads(line) for line in lines(result.stdout)]
    return {line["key"] for line in found if line.get("table") == "unit"}


def test_help_shows_options_and_commands(tmp_path):
    result = run(tmp_path, "--help")
    assert result.returncode == 0
    for word in ("--memory", "backup", "check", "export", "import", "restore"):
        assert word in result.stdout


def test_backup_of_a_running_server_is_sound_and_serves(full, start, connect, data, tmp_path):
    result = run(tmp_path, "backup", tmp_path / "copy.db", "--data", data)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"backup in {tmp_path / 'copy.db'}: ")
    assert run(tmp_path, "check", tmp_path / "copy.db").returncode == 0
    server = start("--data", tmp_path / "copy.db")
    assert connect(server).call("count_work_units", "spec")[0] == {1: 50}


def test_all_that_was_acknowledged_before_is_in_it(full, connect, data, tmp_path):
    """A client adds units all the while; each that was added before the backup began is in it."""
    client = connect(full)
    added: list[str] = []
    enough, stop = threading.Event(), threading.Event()

    def add():
        while not stop.is_set():
            key = f"more-{len(added)}"
            client.call("add_work_units", "spec", [[key, {"text": "x" * 200}]])
            added.append(key)
            if len(added) > 100:
                enough.set()

    thread = threading.Thread(target=add)
    thread.start()
    try:
        assert enough.wait(30)
        before = list(added)
        result = run(tmp_path, "backup", tmp_path / "copy.db", "--data", data)
        assert result.returncode == 0, result.stderr
    finally:
        stop.set()
        thread.join()
    assert len(added) > len(before)
    checked = run(tmp_path, "check", tmp_path / "copy.db")
    assert checked.returncode == 0, checked.stdout
    assert lines(checked.stdout)[-1] == "sound"
    assert units_in(tmp_path, tmp_path / "copy.db") >= {*before, *(f"unit-{n}" for n in range(50))}


def test_export_of_a_running_server_leaves_nothing_behind(full, data, tmp_path):
    assert units_in(tmp_path, data) == {f"unit-{n}" for n in range(50)}
    assert not list(tmp_path.glob("*export*"))


def test_backup_and_restore_after_a_kill(full, start, connect, data, tmp_path):
    full.kill()
    assert data.with_name("coordinate.db-wal").stat().st_size
    result = run(tmp_path, "backup", tmp_path / "copy.db", "--data", data)
    assert result.returncode == 0, result.stderr
    refused = run(tmp_path, "restore", tmp_path / "copy.db", "--data", data)
    assert refused.returncode == 1
    assert "exists" in refused.stderr
    restored = run(tmp_path, "restore", tmp_path / "copy.db", "--data", tmp_path / "new.db")
    assert restored.returncode == 0, restored.stderr
    server = start("--data", tmp_path / "new.db")
    assert connect(server).call("count_work_units", "spec")[0] == {1: 50}


def test_commands_take_the_configured_file(full, data, tmp_path):
    full.terminate()
    config = tmp_path / "config.yaml"
    config.write_text(f"coordinate: {{server: {{data: {data}}}}}\n")
    assert run(tmp_path, "-c", config, "check").returncode == 0
    assert run(tmp_path, "--data", data, "check").returncode == 0
    result = run(tmp_path, "--memory", "check")
    assert (result.returncode, len(lines(result.stderr))) == (1, 1)
    assert "memory only" in result.stderr


def test_a_damaged_file_is_not_backed_up(full, data, tmp_path):
    full.terminate()
    content = data.read_bytes()
    data.write_bytes(content[: len(content) // 2])
    for command in (["backup", tmp_path / "copy.db"], ["export", "-o", tmp_path / "copy.db"]):
        result = run(tmp_path, *command, "--data", data)
        assert result.returncode == 1
        assert "is damaged" in result.stderr
    assert not (tmp_path / "copy.db").exists()
    assert not (tmp_path / "copy.db.part").exists()
    assert run(tmp_path, "check", data).returncode == 1


def test_a_server_refuses_rows_that_it_cannot_read(full, data, tmp_path):
    """In one line, with what to do; nothing is served out of them."""
    full.terminate()
    edit(data, "INSERT INTO meta VALUES (x'00', x'ff')")
    result = run(tmp_path, "--data", data, "--port", 0)
    assert (result.returncode, len(lines(result.stderr))) == (1, 1)
    assert "is damaged" in result.stderr
    assert "`coordinated check`" in result.stderr
    assert run(tmp_path, "check", data).returncode == 1


# The control socket


def ask(path, request):
    """Send a line to a control socket, and give the answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(request + b"\n")
        return json.loads(connection.makefile("rb").read())


def test_socket_is_for_the_owner_and_goes_with_the_server(full, data):
    path = data.with_name("coordinate.db.control")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert full.terminate() == 0
    assert not path.exists()


def test_what_a_killed_server_left_is_replaced(full, start, data, tmp_path):
    full.kill()
    assert data.with_name("coordinate.db.control").exists()
    server = start("--data", data)
    assert run(tmp_path, "backup", tmp_path / "copy.db", "--data", data).returncode == 0
    assert server.errors == ""


def test_a_file_in_the_place_of_the_socket_stays(start, data, tmp_path):
    path = data.with_name("coordinate.db.control")
    path.write_text("precious")
    server = start("--data", data)
    assert server.terminate() == 0
    assert "no backups while this server runs" in server.errors
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    "request_line",
    [
        b"backup",
        b"[]",
        b'{"command": "stop"}',
        b'{"command": "backup"}',
        b'{"command": "backup", "to": "relative.db"}',
    ],
)
def test_other_requests_are_refused(full, data, request_line):
    answer = ask(data.with_name("coordinate.db.control"), request_line)
    assert answer.keys() == {"error"}


def test_memory_has_no_socket(start, tmp_path):
    start("--memory")
    assert not list(tmp_path.rglob("*.control"))


def test_a_backup_never_replaces(full, data, tmp_path):
    (tmp_path / "copy.db").write_text("precious")
    result = run(tmp_path, "backup", tmp_path / "copy.db", "--data", data)
    assert result.returncode == 1
    assert "exists" in result.stderr
    assert (tmp_path / "copy.db").read_text() == "precious"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs names of descriptors")
def test_a_long_path_has_a_socket_too(start, tmp_path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    data = folder / "coordinate.db"
    start("--data", data)
    result = run(tmp_path, "backup", tmp_path / "copy.db", "--data", data)
    assert result.returncode == 0, result.stderr
