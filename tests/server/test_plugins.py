"""Plug-ins over a real server, and what is said about ones that cannot be used."""

import pytest

from tests.server.independent_client import ServerError
from tests.server.running import run


@pytest.fixture
def plugged(start, tmp_path):
    """Start a server with these classes of plugged_modules."""

    def plugged(*names, arguments=("--memory",)):
        return start("-c", configuration(tmp_path, *names), *arguments)

    return plugged


def configuration(directory, *names, module="plugged_modules"):
    """Write a configuration that plugs these classes in, and give its path."""
    path = directory / "plugged.yaml"
    modules = ", ".join(f"{{module: {module}, class: {name}}}" for name in names)
    path.write_text(f"""
coordinate: {{server: {{modules: [{modules}]}}}}
application: {{colour: blue}}
""")
    return path


def test_plain_methods_of_an_old_plugin(plugged, connect):
    """Public methods are operations, tuples stay tuples, byte strings come as they were sent."""
    server = plugged("Plain")
    client, old = connect(server), connect(server, native_bytes=True)
    assert client.call("shout", "word") == "WORD"
    assert client.call("shout", word="word") == "WORD"
    assert old.call("shout", "word") == b"WORD"
    assert client.call("pair") == (1, None)


@pytest.mark.parametrize("name", ["_hidden", "constant", "visible", "__init__", "__class__"])
def test_private_names_and_attributes_are_not_callable(plugged, connect, name):
    """Only methods whose names are public can be called."""
    with pytest.raises(ServerError, match="No such method"):
        connect(plugged("Plain")).call(name)


def test_failing_plugin_answers_with_repr_and_traceback(plugged, connect):
    """What a plug-in raises is answered; paths of the machine are not shown."""
    client = connect(plugged("Plain"))
    with pytest.raises(ServerError, match=r"\AKeyError\('what'\)\nTraceback") as caught:
        client.call("fail")
    assert "/" not in str(caught.value)
    with pytest.raises(ServerError, match="FileNotFoundError") as caught:
        client.call("fail_on_file")
    assert "/no/such" not in str(caught.value)
    with pytest.raises(ServerError, match=r"\ATypeError\([^\n]*shout: missing[^\n]*\Z"):
        client.call("shout")
    with pytest.raises(ServerError, match="cannot be sent"):
        client.call("unsendable")
    assert client.call("shout", "on") == "ON"


def test_blocking_plugin_does_not_stop_the_loop(plugged, connect):
    """While a plain method blocks, others are served, on its own connection too."""
    server = plugged("Patient")
    blocked, other = connect(server), connect(server)
    waiting = blocked.send("wait_for_release")
    later = blocked.send("mode_counts")
    assert blocked.receive() == {"id": later, "result": ({}, None)}
    assert other.call("release") is True
    assert blocked.receive() == {"id": waiting, "result": True}


def test_batch_waits_for_its_slowest(plugged, connect):
    """A batch with a plug-in's call is answered in its order when all are done."""
    client = connect(plugged("Modern"))
    calls = [("slow_echo", 1), ("mode_counts",), ("slow_echo", 3)]
    assert client.batch(*calls) == [1, ({}, None), 3]


def test_modern_plugin_gets_what_it_asks_for(plugged, connect):
    """Clock, area and configuration come by name; only declared operations are offered."""
    client = connect(plugged("Modern"))
    assert client.call("now") > 1_500_000_000
    assert client.call("setting", "application", "colour") == "blue"
    assert client.call("recall", b"k") is None
    assert client.call("remember", b"k", b"v") == b"v"
    assert client.call("remember", b"a", b"w") == b"w"
    assert client.call("recall", b"k") == b"v"
    assert client.call("recall_all") == [(b"a", b"w"), (b"k", b"v")]
    client.call("forget", b"a")
    assert client.call("recall_all") == [(b"k", b"v")]
    with pytest.raises(ServerError, match="No such method"):
        client.call("undeclared")


def test_area_survives_kill(plugged, connect, tmp_path):
    """What a plug-in put is there after the server was killed."""
    arguments = ("--data", tmp_path / "q.db")
    server = plugged("Modern", arguments=arguments)
    connect(server).call("remember", b"k", b"v")
    server.kill()
    assert connect(plugged("Modern", arguments=arguments)).call("recall", b"k") == b"v"


@pytest.mark.parametrize(
    "names, expected",
    [
        (["Colliding"], "'get_work' is offered by both JobQueue and plugged_modules.Colliding"),
        (["Plain", "Plain"], "is offered by both plugged_modules.Plain and plugged_modules.Plain"),
        (["Undeclarable"], "operation '_secret' is not a public method"),
        (["Broken"], "plug-in plugged_modules.Broken: cannot be made: RuntimeError('no')"),
        (["Absent"], "plug-in plugged_modules.Absent: cannot be imported"),
        (["RELEASE"], "'RELEASE' is not a class"),
    ],
)
def test_plugin_that_cannot_be_used_is_one_line(tmp_path, names, expected):
    """A collision and every other mistake stop the start with one line on standard error."""
    done = run(tmp_path, "--memory", "--port", 0, "-c", configuration(tmp_path, *names))
    assert done.returncode == 1
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
