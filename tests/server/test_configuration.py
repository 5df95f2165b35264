"""The configuration: the file, the environment, flags, and what is said about mistakes."""

import subprocess
import sys

import pytest

from coordinate_protocol.configuration import (
    SETTINGS,
    ConfigError,
    coordinate_block,
    install_config,
    load_config,
)
from coordinate_server.config import default_data_file, masked, server_config

SEED = """
global:
  namespace: &namespace harvest
coordinate:
  server:
    host: 0.0.0.0
    port: 5932
  namespace: *namespace
  registry_addresses: ['10.0.1.x:5932']
kvlayer: {storage_type: local}
"""


@pytest.fixture
def written(tmp_path):
    """Write a configuration file and give its path."""

    def written(text):
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_documented_configuration_loads(written):
    """The block of the project's own text loads, anchor and registry_addresses and all."""
    config = load_config(written(SEED))
    block = coordinate_block(config, {})
    assert block["registry_addresses"] == ["10.0.1.x:5932"]
    assert block["namespace"] == "harvest"
    settings = server_config(config, environ={})
    assert (settings.host, settings.port, settings.namespace) == ("0.0.0.0", 5932, "harvest")
    assert settings.shown["kvlayer"] == {"storage_type": "local"}


def test_nothing_configured_listens_on_localhost():
    """Without a file the server is on localhost:5932 with a file under the state directory."""
    settings = server_config({}, environ={})
    assert (settings.host, settings.port, settings.data) == (
        "localhost",
        5932,
        default_data_file(),
    )
    assert default_data_file().name == "coordinate.db"


def test_flags_go_before_environment_before_file(written):
    """A flag wins over a variable, a variable over the file, the file over the default."""
    config = load_config(written("coordinate: {server: {port: 1, host: filehost, data: f.db}}"))
    environ = {"COORDINATE_SERVER_PORT": "2", "COORDINATE_SERVER_HOST": "envhost"}
    settings = server_config(config, {"port": 3, "host": None}, environ)
    assert (settings.port, settings.host, str(settings.data)) == (3, "envhost", "f.db")


def test_environment_reaches_every_kind_of_setting():
    """Variables give texts, numbers, yes or no, and lists; others are left alone."""
    environ = {
        "COORDINATE_ADDRESS": "10.0.0.1:5932",
        "COORDINATE_ADDRESSES": "a:1, b:2",
        "COORDINATE_BASE_RETRY_SECONDS": "0.25",
        "COORDINATE_SERVER_RPCLOG": "yes",
        "COORDINATE_SERVER_TRACEBACKS": "off",
        "COORDINATE_SERVER_LIMITS_MESSAGE_BYTES": "1000",
        "COORDINATE_JOB_QUEUE_SQLITE_PATH": "/data/x.db",
        "COORDINATE_SOMETHING_ELSE": "1",
    }
    block = coordinate_block({}, environ)
    assert block == {
        "address": "10.0.0.1:5932",
        "addresses": ["a:1", "b:2"],
        "base_retry_seconds": 0.25,
        "server": {"rpclog": True, "tracebacks": False, "limits": {"message_bytes": 1000}},
        "job_queue": {"sqlite_path": "/data/x.db"},
    }
    assert server_config({}, environ=environ).limits.message_bytes == 1000


def test_environment_does_not_change_what_was_loaded():
    """The block is a copy: the configuration that was passed stays as it is."""
    config = {"coordinate": {"server": {"port": 1}}}
    assert coordinate_block(config, {"COORDINATE_SERVER_PORT": "2"})["server"]["port"] == 2
    assert config == {"coordinate": {"server": {"port": 1}}}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("coordinate: [", "is not valid YAML"),
        ("- 1", "should be a map of settings, not list"),
        ("coordinate: 5", "'coordinate' should be a map of settings, not int"),
        ("coordinate: !!python/object/apply:os.getcwd []", "is not valid YAML"),
        ("coordinate: {server: {prot: 1}}", "did you mean 'coordinate.server.port'?"),
        ("coordinate: {server: {limits: {batches: 1}}}", "'coordinate.server.limits.batch'?"),
        ("coordinate: {job_queue: {sqlite: 1}}", "'coordinate.job_queue.sqlite_path'?"),
        ("coordinate: {server: {port: many}}", "coordinate.server.port should be a whole number"),
        ("coordinate: {server: {port: 70000}}", "70000, out of the range 0 to 65535"),
        ("coordinate: {server: {port: true}}", "should be a whole number, not True"),
        ("coordinate: {server: {rpclog: 3}}", "should be true or false, not 3"),
        ("coordinate: {server: {namespaces: none}}", "should be separate or shared"),
        ("coordinate: {server: {modules: [{module: x}]}}", "should be {module, class}"),
        ("coordinate: {server: {modules: x}}", "should be a list, not 'x'"),
        ("coordinate: {server: {limits: {batch: 0}}}", "coordinate.server.limits"),
        ("coordinate: {namespace: 3}", "coordinate.namespace should be text, not 3"),
    ],
)
def test_mistake_is_named_in_one_line(written, text, expected):
    """Each mistake is a ConfigError of one line that says what would be right."""
    with pytest.raises(ConfigError) as caught:
        server_config(load_config(written(text)), environ={})
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_environment_mistake_names_the_variable():
    """A value that does not suit its setting is an error that names the variable."""
    with pytest.raises(ConfigError, match="COORDINATE_SERVER_PORT='x' is not a whole number"):
        coordinate_block({}, {"COORDINATE_SERVER_PORT": "x"})


def test_missing_file_is_one_line(tmp_path):
    """A file that is not there is a ConfigError that names it."""
    with pytest.raises(ConfigError, match=r"cannot read '.*absent.yaml'"):
        load_config(tmp_path / "absent.yaml")


def test_empty_file_is_an_empty_configuration(written):
    """A file with nothing in it says nothing."""
    assert load_config(written("")) == {}
    assert load_config(None) == {}


def test_settings_of_old_files_are_accepted(written):
    """Every name of 0.1.5's job_queue block is known."""
    text = """
coordinate:
  job_queue: {sqlite_path: q.db, postgres_connect: x, postgres_schema: public,
    snapshot_period_seconds: 60, snapshot_path_format: 'a_{timestamp}', log_path_format: b,
    do_recover: true, delete_snapshots_beyond: 5, limit_completed_count: 10,
    limit_completed_age: 20, joblog: false}
  worker: fork_worker
  job_httpd: {anything: 1}
"""
    settings = server_config(load_config(written(text)), environ={})
    assert str(settings.data) == "q.db"
    assert (settings.limit_completed_count, settings.limit_completed_age) == (10, 20)
    assert settings.postgres


def test_limit_of_connections_is_no_secret():
    """Its name has a word of postgres_connect in it."""
    assert masked({"limits": {"connections": 10}}) == {"limits": {"connections": 10}}


def test_secrets_are_masked():
    """What looks like a secret is not shown, wherever it stands."""
    shown = masked(
        {
            "job_queue": {"postgres_connect": "host=a password=b", "joblog": False},
            "other": {
                "api_token": "t",
                "Password": 5,
                "url": "postgres://u:p@h/db",
                "list": [{"secret": 1}],
            },
            "connect": None,
        }
    )
    assert shown == {
        "job_queue": {"postgres_connect": "********", "joblog": False},
        "other": {
            "api_token": "********",
            "Password": "********",
            "url": "postgres://********@h/db",
            "list": [{"secret": "********"}],
        },
        "connect": None,
    }


def test_every_setting_has_its_own_variable():
    """No two settings share a variable of the environment."""
    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)


YAKONFIG = """
import types
from coordinate_protocol.configuration import coordinate_block, install_config
assert coordinate_block(None, {}) == {}
module = types.SimpleNamespace(config_name="application", default_config={"depth": 2})
full = install_config({"coordinate": {"address": "h:1"}, "application": {"name": "a"}}, [module])
assert full["application"] == {"name": "a", "depth": 2}, full
assert coordinate_block(None, {}) == {"address": "h:1"}
import yakonfig
assert yakonfig.get_global_config("coordinate", "address") == "h:1"
"""

MISSING = """
import sys
sys.modules["yaml"] = None
from coordinate_protocol.configuration import ConfigError, load_config
try:
    load_config("x.yaml")
except ConfigError as error:
    assert str(error) == "configuration needs 'yaml': pip install 'coordinate-protocol[config]'"
else:
    raise SystemExit("no error")
"""


@pytest.mark.parametrize("program", [YAKONFIG, MISSING])
def test_yakonfig_and_its_absence(program):
    """An application's yakonfig configures us; without PyYAML the error says what to install."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_module_that_refuses_is_a_config_error():
    """What yakonfig says against a configuration is ours to say, in one line."""
    with pytest.raises(ConfigError, match="must be an object"):
        install_config({"application": 5}, [type("M", (), {"config_name": "application"})])
