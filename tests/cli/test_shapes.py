"""What commands print and with which code they exit, on a TaskMaster without a server."""

import json

import pytest

from coordinate_client.exceptions import ConnectionFailed, RpcError
from tests.cli.fakes import COUNTS, FakeTaskMaster, run

SUMMARY = """\
Work spec               Avail  Pending  Blocked   Failed Finished    Total
==================== ======== ======== ======== ======== ======== ========
alpha                       3        1        0        2        5       11
beta                        3        1        0        2        5       11
"""


def test_work_specs_are_one_a_line():
    """Scripts read a name from each line, in order."""
    assert run("work_specs").stdout == "alpha\nbeta\n"


def test_dashes_do_as_well_as_underscores():
    """Commands and options are found in either spelling."""
    assert run("work-specs").stdout == run("work_specs").stdout
    result = run("work-unit", "--work_spec_name", "alpha", "u1")
    assert result.exit_code == 0
    assert result.stdout == run("work_unit", "--work-spec-name", "alpha", "u1").stdout


def test_status_in_a_pipe_is_json():
    """The shape of 0.1.5: indented, in order, also without --json."""
    expected = json.dumps(COUNTS, indent=4, sort_keys=True) + "\n"
    assert run("status", "-W", "alpha").stdout == expected
    assert run("status", "-W", "alpha", "--json").stdout == expected


def test_status_on_a_terminal_is_a_table():
    """A person gets lines and columns."""
    shown = run("status", "-W", "alpha", terminal=True).stdout
    assert "available" in shown
    assert "{" not in shown


def test_status_of_unknown_spec_is_one_line_and_code_1():
    """An error goes to standard error, names the spec, and leaves standard output empty."""
    result = run("status", "-W", "gamma", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "coordinate: no such work spec 'gamma'\n"


def test_summary_in_a_pipe_has_the_columns_of_0_1_5():
    """The text is laid out as scripts cut it."""
    assert run("summary").stdout == SUMMARY
    assert run("summary", "--text", terminal=True).stdout == SUMMARY


def test_summary_json_has_the_time():
    """One line: each spec's counts, and _NOW in seconds."""
    text = run("summary", "--json").stdout
    assert text.count("\n") == 1
    assert json.loads(text) == {"alpha": COUNTS, "beta": COUNTS, "_NOW": 1000.5}


def test_summary_watch_with_seconds_looks_as_often_as_that():
    """It shows each look, whatever has changed; an interrupt is its only end."""
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    result = run("summary", "--json", "--watch", "5", sleep=sleep)
    assert (result.exit_code, result.stderr) == (130, "")
    assert pauses == [5.0, 5.0, 5.0]
    assert len(result.stdout.splitlines()) == 3


def test_work_spec_is_yaml_or_json():
    """YAML unless --json says otherwise; both at once is a mistake."""
    assert "min_gb: 2\n" in run("work_spec", "-W", "alpha").stdout
    assert json.loads(run("work_spec", "-W", "alpha", "--json").stdout)["min_gb"] == 2
    assert run("work_spec", "-W", "alpha", "--json", "--yaml").exit_code == 64


def test_unknown_work_spec_says_where_to_look():
    """What to do is part of the message."""
    result = run("work_spec", "-W", "gamma")
    assert result.exit_code == 1
    assert "'coordinate work_specs' lists them" in result.stderr


def test_work_units_lists_keys():
    """A key a line; a limit cuts; --json gives an array."""
    assert run("work_units", "-W", "alpha").stdout == "u1\nu2\nu3\n"
    assert run("work_units", "-W", "alpha", "-n", "2").stdout == "u1\nu2\n"
    assert json.loads(run("work_units", "-W", "alpha", "--json").stdout) == ["u1", "u2", "u3"]
    assert run("work_units", "-W", "alpha", "-s", "failed").stdout == "u2\nu3\n"


def test_work_units_asks_page_by_page():
    """More units than a server gives at once are all listed."""
    master = FakeTaskMaster()
    master.units = {f"{n:05}": {} for n in range(2500)}
    result = run("work_units", "-W", "alpha", master=master)
    assert result.stdout.split() == sorted(master.units)
    assert len(run("work_units", "-W", "alpha", "-n", "1200", master=master).stdout.split()) == 1200


def test_work_units_details_show_data_and_traceback():
    """Data is printed; a traceback stands below it, as lines; no data is said."""
    shown = run("work_units", "-W", "alpha", "--details").stdout
    assert shown == "'u1': {'n': 1}\n'u2': {'traceback': 'displayed below'}\nBoom\nu3: no info\n"
    told = json.loads(run("work_units", "-W", "alpha", "--details", "--json").stdout)
    assert told == {"u1": {"n": 1}, "u2": {"traceback": "Boom"}, "u3": {}}


def test_work_unit_tells_status_expiry_worker_and_traceback():
    """Everything that the server knows about a unit."""
    shown = run("work_unit", "-W", "alpha", "u1", "u2").stdout
    assert shown.startswith("u1 (3)\n  Status: pending\n  Expires: ")
    assert "  Worker: w1 (host.example on 10.0.0.1)\n" in shown
    assert "  Traceback:\nBoom\n" in shown


def test_work_unit_names_the_one_that_is_missing():
    """The others are told all the same."""
    result = run("work_unit", "-W", "alpha", "nope", "u1", "--json")
    assert result.exit_code == 1
    assert list(json.loads(result.stdout)) == ["u1"]
    assert "no such work unit 'nope'" in result.stderr


def test_prioritize_passes_keys():
    """Keys go to the server; one that it does not know is an error."""
    master = FakeTaskMaster()
    assert run("prioritize", "alpha", "u1", "u2", master=master).exit_code == 0
    assert master.noted == [("prioritize", "alpha", ["u1", "u2"])]
    unknown = run("prioritize", "alpha", "u1", "nope")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert unknown.stderr == "coordinate: no such work unit 'nope' in 'alpha'\n"
    assert "no such work spec 'gamma'" in run("prioritize", "gamma", "u1").stderr


def test_pause_and_resume_set_the_spec():
    """Each says what it did; an unknown spec is an error."""
    master = FakeTaskMaster()
    assert run("pause", "alpha", master=master).stdout == "paused 'alpha'\n"
    resumed = run("resume", "alpha", "--json", master=master).stdout
    assert json.loads(resumed) == {"work_spec": "alpha", "paused": False}
    assert master.noted == [("pause", "alpha", True), ("pause", "alpha", False)]
    assert run("pause", "gamma").exit_code == 1


def test_retry_makes_named_units_available():
    """0.1.5's sentence; a unit that is not there is an error."""
    master = FakeTaskMaster()
    assert run("retry", "-W", "alpha", "u2", master=master).stdout == "Retried 1 work unit.\n"
    result = run("retry", "-W", "alpha", "nope", "u3", master=master)
    assert result.stdout == "Retried 1 work unit.\n"
    assert (result.exit_code, master.failed) == (1, [])
    assert "no such work unit 'nope'" in result.stderr


def test_retry_all_takes_every_failed_unit():
    """With -W - of every spec; nothing left is nothing to do, and no error."""
    master = FakeTaskMaster()
    assert run("retry", "-W", "-", "-a", master=master).stdout == "Retried 2 work units.\n"
    again = run("retry", "-W", "alpha", "-a", master=master)
    assert (again.exit_code, again.stdout) == (0, "Nothing to do.\n")


def test_retry_all_passes_over_units_that_are_gone(monkeypatch):
    """Somebody else may have removed one meanwhile; the rest is retried."""
    master = FakeTaskMaster()
    plain = master.get_work_units
    stale: list = [[("gone", {}), ("u2", {}), ("u3", {})]]

    def get_work_units(*arguments, **options):
        return stale.pop() if stale else plain(*arguments, **options)

    monkeypatch.setattr(master, "get_work_units", get_work_units)
    result = run("retry", "-W", "alpha", "-a", master=master)
    assert (result.exit_code, result.stdout) == (0, "Retried 2 work units.\n")


def test_retry_all_tries_each_unit_once(monkeypatch):
    """A unit that fails again at once does not keep the command busy for ever."""
    master = FakeTaskMaster()
    monkeypatch.setattr(master, "retry", lambda _name, *_keys, **_options: True)
    result = run("retry", "-W", "alpha", "-a", master=master)
    assert (result.exit_code, result.stdout) == (0, "Retried 2 work units.\n")


@pytest.mark.parametrize(
    "arguments, asked",
    [
        ([], (None, None, True, False)),
        (["-s", "failed"], (None, 5, False, False)),
        (["u1"], (["u1"], None, False, False)),
        (["-s", "finished", "u1"], (["u1"], 4, False, False)),
        (["--cascade", "u1"], (["u1"], None, False, True)),
    ],
)
def test_clear_removes_what_was_named(arguments, asked):
    """All without arguments; else the units named, or those in a status."""
    master = FakeTaskMaster()
    result = run("clear", "-W", "alpha", *arguments, master=master)
    assert result.stdout == "Removed 7 work units.\n"
    assert master.noted == [("del_work_units", "alpha", *asked)]


def test_workers_lists_ids_and_modes():
    """Living ones; all with --all; heartbeats with --details."""
    assert run("workers").stdout == "w1 (RUN)\n"
    assert run("workers", "--all").stdout == "w0 (TERMINATE)\nw1 (RUN)\n"
    assert "  fqdn: host.example\n" in run("workers", "--details").stdout
    told = json.loads(run("workers", "--details", "--json").stdout)
    assert told["w1"]["heartbeat"]["fqdn"] == "host.example"


def test_worker_stats_prints_the_map():
    """Python's form in a pipe, as 0.1.5 had it, and JSON."""
    expected = {"num_workers": 2, "num_children": 0, "num_expirable": 1}
    assert run("worker_stats").stdout == f"{expected!r}\n"
    assert json.loads(run("worker_stats", "--json").stdout) == expected


def test_rpc_reads_yaml_parameters():
    """Each parameter is YAML; the result is printed as Python writes it."""
    master = FakeTaskMaster()
    run("rpc", "list_work_specs", "{limit: 3}", "[a, 1]", "text", master=master)
    assert master.noted == [("list_work_specs", [{"limit": 3}, ["a", 1], "text"])]
    assert run("rpc", "x", "{").exit_code == 64


def test_rpc_tells_the_servers_error_in_one_line(monkeypatch):
    """What failed is the first line; the traceback below it is left out."""
    master = FakeTaskMaster()

    def refuse(method, _params):
        raise RpcError(method, "KeyError('x')\nTraceback\n  File y")

    monkeypatch.setattr(master, "_rpc", refuse)
    result = run("rpc", "nope", master=master)
    assert result.exit_code == 1
    assert result.stderr == "coordinate: nope: KeyError('x')\n"


def test_delete_asks_unless_told_not_to():
    """The question goes to standard error; anything but yes deletes nothing."""
    assert run("delete", input="n\n").stdout == "not deleting anything\n"
    assert run("delete", input="y\n").stdout == "deleted 2 work specs\n"
    assert json.loads(run("delete", "-y", "--json").stdout) == {"deleted": 2}
    unanswered = run("delete", input="")
    assert (unanswered.exit_code, unanswered.stdout) == (1, "")
    assert unanswered.stderr.endswith(
        "coordinate: the question was not answered: nothing was done\n"
    )


def test_interrupt_is_code_130(monkeypatch):
    """As a shell has it for SIGINT, with nothing on standard output."""
    master = FakeTaskMaster()

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(master, "iter_work_specs", interrupted)
    result = run("work_specs", master=master)
    assert (result.exit_code, result.stdout, master.closed) == (130, "", True)


def test_config_prints_or_writes_yaml(tmp_path):
    """To standard output, or to a file."""
    text = "coordinate:\n  server:\n    port: 5932\n"
    assert run("config").stdout == text
    run("config", "-o", str(tmp_path / "out.yaml"))
    assert (tmp_path / "out.yaml").read_text() == text


def test_unreachable_server_is_code_3(monkeypatch):
    """Its own code, so that a script can wait for the server; the message says what to do."""
    master = FakeTaskMaster()

    def fail():
        raise ConnectionFailed("list_work_specs", ["here:1"], "refused")

    monkeypatch.setattr(master, "iter_work_specs", fail)
    result = run("work_specs", master=master)
    assert (result.exit_code, result.stdout, master.closed) == (3, "", True)
    assert "no server at here:1" in result.stderr
    assert "--address HOST:PORT" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["status"],
        ["status", "-W", "a", "-w", __file__],
        ["status", "--nonsense", "-W", "alpha"],
        ["pause"],
        ["retry", "-W", "alpha"],
        ["work_unit", "-W", "alpha"],
        ["run_one", "--limit-count", "0"],
        ["run_one", "--limit-seconds", "-1"],
        ["retry", "-W", "alpha", "-a", "u1"],
        ["load", "--no-work"],
        ["addwork", "-W", "alpha"],
        ["work_units", "-W", "alpha", "-s", "nonsense"],
        [],
    ],
)
def test_wrong_usage_is_code_64(arguments):
    """Not click's 2: that means "nothing to do" here."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (64, "")
    assert result.stderr


def test_wrong_usage_is_one_sentence():
    """What click says, and where to read more, without a full stop between them."""
    stderr = run("work_spec", "-w", "not-there").stderr
    assert "does not exist (see 'coordinate work_spec --help')" in stderr


def test_help_tells_each_command_in_full():
    """The list of commands has whole sentences, none of them cut off."""
    _, commands = run("--help").stdout.split("Commands:")
    assert "..." not in commands


def test_tables_show_control_characters_as_escapes():
    """A unit's key must not be able to drive somebody's terminal."""
    master = FakeTaskMaster()
    master.units = {"a\x1b[2Jb": {}}
    shown = run("work_units", "-W", "alpha", master=master, terminal=True).stdout
    assert "\x1b[2J" not in shown
    assert "\\x1b[2J" in shown


@pytest.mark.parametrize(
    "arguments",
    [["work_specs"], ["summary"], ["work_units", "-W", "alpha"], ["workers"], ["worker_stats"]],
)
def test_a_terminal_gets_a_table(arguments):
    """Where a person reads, columns have lines around them."""
    assert "─" in run(*arguments, terminal=True).stdout
    assert "─" not in run(*arguments).stdout
