"""coordinated as a person runs it: flags, files, signals, restarts."""

import os
import signal
import sqlite3

import pytest
import yaml

from coordinate_server import __version__
from tests.server.independent_client import ServerError
from tests.server.running import PATIENCE, run


def test_first_lines_say_where(start, tmp_path):
    """The data file and the address are printed, one line each, before anything is served."""
    server = start("--host", "127.0.0.1")
    assert server.lines[0] == f"data in {tmp_path / 'state' / 'coordinate' / 'coordinate.db'}"
    assert server.lines[1] == f"listening on 127.0.0.1:{server.address[1]}"
    assert server.terminate() == 0
    assert server.errors == ""


def test_memory_says_so(server):
    """A server that keeps nothing says that."""
    assert server.lines[0] == "data in memory only"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_cleanly(start, connect, number):
    """A signal ends the server with 0, idle connections or not."""
    server = start()
    connect(server).call("mode_counts")
    assert server.terminate(number) == 0
    assert server.errors == ""


def test_signal_while_calls_are_in_flight(start, connect, tmp_path):
    """Calls that were taken are answered before the server ends; it accepts nobody meanwhile."""
    config = tmp_path / "plugged.yaml"
    config.write_text(
        "coordinate: {server: {modules: [{module: plugged_modules, class: Patient}]}}"
    )
    os.mkfifo(tmp_path / "fifo")
    server = start("--memory", "-c", config)
    client = connect(server)
    sent = client.send("read_file", str(tmp_path / "fifo"))
    with (tmp_path / "fifo").open("w") as fifo:  # opens when the plug-in has opened its end
        server.process.send_signal(signal.SIGTERM)
        _wait_until_refused(server)
        fifo.write("done")
    assert client.receive() == {"id": sent, "result": "done"}
    assert client.rest() == b""
    assert server.process.wait(PATIENCE) == 0


def _wait_until_refused(server):
    for _ in range(100_000):
        try:
            server.connect().close()
        except ConnectionError:
            return
    pytest.fail("the server still accepts connections")


def test_everything_acknowledged_survives_kill(start, connect, tmp_path):
    """After SIGKILL and a restart, each acknowledged call still holds."""
    arguments = ("--data", tmp_path / "q.db")
    server = start(*arguments)
    client = connect(server)
    client.call("set_work_spec", {"name": "s", "min_gb": 1, "then": "t"})
    client.call("set_work_spec", {"name": "t", "min_gb": 1})
    client.call("add_work_units", "s", [(f"k{n:03}", {"n": n}) for n in range(300)])
    taken, _ = client.call("get_work", "w", {"max_jobs": 10})
    for name, key, _ in taken[:5]:
        client.call("update_work_unit", name, key, {"status": 4, "data": {"output": [f"{key}!"]}})
    client.call("worker_heartbeat", "w", "RUN", 60, {}, None)
    server.kill()
    again = connect(start(*arguments))
    assert again.call("count_work_units", "s") == ({1: 290, 3: 5, 4: 5}, None)
    assert again.call("count_work_units", "t") == ({1: 5}, None)
    assert again.call("get_work_units", "s", {"work_unit_keys": ["k299"]})[0] == [
        ("k299", {"n": 299})
    ]
    assert again.call("list_worker_modes") == ({"w": "RUN"}, None)
    (status,), _ = again.call("get_work_unit_status", "s", [taken[7][1]])
    assert (status["status"], status["worker_id"]) == (3, "w")


def test_pipelined_calls_survive_kill_as_far_as_answered(start, connect, tmp_path):
    """Killed in the middle of a stream of calls, whatever was answered is there."""
    arguments = ("--data", tmp_path / "q.db")
    server = start(*arguments)
    client = connect(server)
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    for n in range(2000):
        client.send("add_work_units", "s", [(f"k{n:04}", {})])
    answered = [client.receive() for _ in range(700)]
    server.kill()
    counts, _ = connect(start(*arguments)).call("count_work_units", "s")
    assert counts[1] >= len(answered)


def test_second_server_on_the_same_file(start, tmp_path):
    """A second server on a file in use ends with 1 and says so in one line."""
    start("--data", tmp_path / "q.db")
    done = run(tmp_path, "--data", tmp_path / "q.db", "--port", 0)
    assert done.returncode == 1
    assert "q.db" in done.stderr
    assert done.stderr.count("\n") == 1


def test_second_server_on_the_same_port(server, tmp_path):
    """A second server on a port in use ends with 1 and says so in one line."""
    done = run(tmp_path, "--memory", "--port", server.address[1])
    assert done.returncode == 1
    assert f"cannot listen on localhost:{server.address[1]}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_foreign_file_is_refused_and_left_alone(tmp_path):
    """Another program's SQLite file, 0.1.5's say, is refused and not one byte of it changes."""
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.execute("create table wu (name text, key text, data blob)")
    old.close()
    before = path.read_bytes()
    done = run(tmp_path, "--data", path, "--port", 0)
    assert done.returncode == 1
    assert "old.db" in done.stderr
    assert done.stderr.count("\n") == 1
    assert path.read_bytes() == before


def test_pid_file_lives_as_long_as_the_server(start, tmp_path):
    """The process id is in the file while the server runs."""
    path = tmp_path / "server.pid"
    server = start("--memory", "--pid", path)
    assert path.read_text() == f"{server.process.pid}\n"
    server.terminate()
    assert not path.exists()


def test_flags_without_effect_say_so(start):
    """--httpd is accepted, with a clear word."""
    server = start("--memory", "--httpd", ":5933")
    server.terminate()
    assert "httpd is accepted and does nothing for now" in server.errors


def test_ended_units_beyond_the_limit_are_forgotten_unasked(start, connect, tmp_path):
    """By the server itself, and durably; the counts go on counting them."""
    config = tmp_path / "limits.yaml"
    config.write_text("coordinate: {job_queue: {limit_completed_count: 1}}")
    server = start("--data", tmp_path / "q.db", "-c", config)
    client = connect(server)
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    client.call("add_work_units", "s", [(f"k{n}", {}) for n in range(1000)])
    for n in range(1000):
        client.call("update_work_unit", "s", f"k{n}", {"status": 4})
    units: list[object] = []
    while len(units) != 1:
        units, _ = client.call("get_work_units", "s", {})
    assert units == [("k999", {})]
    server.kill()
    again = connect(start("--data", tmp_path / "q.db", "-c", config))
    assert again.call("count_work_units", "s") == ({4: 1000}, None)
    assert again.call("get_work_units", "s", {}) == ([("k999", {})], None)


def test_listening_beyond_localhost_is_loud(start):
    """Without authentication, an open port is announced on standard error."""
    quiet, loud = start("--memory"), start("--memory", "--host", "0.0.0.0")
    quiet.terminate()
    loud.terminate()
    assert "WITHOUT AUTHENTICATION" not in quiet.errors
    assert "WITHOUT AUTHENTICATION" in loud.errors


def test_version_and_dump(tmp_path):
    """--version names the version; --dump-config prints YAML without secrets and stops."""
    assert __version__ in run(tmp_path, "--version").stdout
    config = tmp_path / "c.yaml"
    config.write_text("coordinate: {job_queue: {postgres_connect: 'password=x'}}\nother: {a: 1}\n")
    dumped = yaml.safe_load(run(tmp_path, "--dump-config", "-p", 7, "-c", config).stdout)
    assert dumped["coordinate"]["server"]["port"] == 7
    assert dumped["coordinate"]["job_queue"]["postgres_connect"] == "********"
    assert dumped["other"] == {"a": 1}


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["-c", "absent.yaml"], "cannot read 'absent.yaml'"),
        (["--memory", "--data", "x"], "--memory and --data exclude each other"),
        (["--memory", "--host", "no such host"], "cannot listen on 'no such host'"),
        (["--data", "/dev/null/x.db"], "/dev/null"),
        (["--memory", "--port", "0", "--pid", "/dev/null/pid"], "cannot write '/dev/null/pid'"),
    ],
)
def test_mistake_at_the_start_is_one_line(tmp_path, arguments, expected):
    """Each ends with 1 and one line that names the value."""
    done = run(tmp_path, *arguments)
    assert done.returncode == 1
    assert expected in done.stderr
    assert done.stderr.startswith("coordinated: ")
    assert done.stderr.count("\n") == 1


def test_get_config_shows_what_holds(start, connect, tmp_path):
    """A client reads the whole effective configuration, without its secrets."""
    config = tmp_path / "c.yaml"
    config.write_text("coordinate: {job_queue: {postgres_connect: 'password=x'}}\nother: {a: 1}\n")
    shown, message = connect(start("--memory", "-c", config)).call("get_config")
    assert message is None
    assert shown["coordinate"]["server"]["limits"]["batch"] == 1000
    assert shown["coordinate"]["job_queue"]["postgres_connect"] == "********"
    assert shown["other"] == {"a": 1}


@pytest.fixture
def greeted(connect):
    """Connect and say hello, in a namespace."""

    def greeted(server, namespace):
        client = connect(server)
        client.hello = client.call("hello", {"protocol": [1], "namespace": namespace})
        return client

    return greeted


def test_hello_tells_version_and_capabilities(client):
    """The first call exchanges versions; no version in common is an error."""
    hello = client.call("hello")
    assert (hello["protocol"], hello["version"], hello["namespace"]) == (1, __version__, "default")
    assert isinstance(hello["capabilities"], list)
    with pytest.raises(ServerError, match="no protocol in common"):
        client.call("hello", {"protocol": [99]})


def test_separate_namespaces_share_nothing(server, connect, greeted):
    """What one namespace has, another does not see; silent clients are in the server's own."""
    one, two, silent = greeted(server, "one"), greeted(server, "two"), connect(server)
    one.call("set_work_spec", {"name": "s", "min_gb": 1})
    assert one.hello["namespace"] == "one"
    assert two.call("get_work_spec", "s") is None
    assert silent.call("get_work_spec", "s") is None
    assert greeted(server, "one").call("get_work_spec", "s") == {"name": "s", "min_gb": 1}


def test_shared_namespaces_are_ignored(start, connect, greeted, tmp_path):
    """With server.namespaces shared, everybody is in the server's own, as with 0.1.5."""
    config = tmp_path / "c.yaml"
    config.write_text("coordinate: {namespace: ours, server: {namespaces: shared}}")
    server = start("--memory", "-c", config)
    one, two, silent = greeted(server, "one"), greeted(server, "two"), connect(server)
    one.call("set_work_spec", {"name": "s", "min_gb": 1})
    assert one.hello["namespace"] == two.hello["namespace"] == "ours"
    assert two.call("get_work_spec", "s") == silent.call("get_work_spec", "s")


def test_only_greeted_clients_see_delayed_units(client, connect, server, greeted):
    """0.1.5's clients know no status 6: for them a delayed unit is available."""
    new = greeted(server, "default")
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    client.call("add_work_units", "s", [("k", {}, {"delay": 1000})])
    assert client.call("count_work_units", "s") == ({1: 1}, None)
    assert client.call("get_work_units", "s", {"state": 1}) == ([("k", {})], None)
    assert client.call("get_work_unit_status", "s", ["k"])[0][0]["status"] == 1
    assert new.call("count_work_units", "s") == ({6: 1}, None)
    assert new.call("get_work_units", "s", {"state": 1}) == ([], None)
    assert new.call("get_work_unit_status", "s", ["k"])[0][0]["status"] == 6


def test_unknown_option_is_refused_once_greeted(client, server, greeted):
    """0.1.5 ignores options it does not know; a client that has said hello is told."""
    assert client.call("list_work_specs", {"limmit": 1}) == ([], None)
    with pytest.raises(ServerError, match="unknown option 'limmit', known are limit, start"):
        greeted(server, "n").call("list_work_specs", {"limmit": 1})


def test_lease_out_of_range_is_moved_and_said(client):
    """A lease beyond the bounds is moved to the nearest one, and the message says so."""
    client.call("set_work_spec", {"name": "s", "min_gb": 1})
    client.call("add_work_units", "s", [("k", {})])
    (_, key, _), message = client.call("get_work", "w", {"lease_time": 1e9})
    assert key == "k"
    assert "lease_time" in message
    assert "86400" in message
