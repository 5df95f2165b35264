"""Which server the command line talks to, and what it says where it cannot run at all."""

import sys

import pytest

from coordinate_client import cli
from coordinate_client.cli.session import Session


@pytest.fixture
def config(tmp_path):
    """A configuration file with an address and a list of them."""
    path = tmp_path / "config.yaml"
    path.write_text("coordinate: {address: 'file:1', addresses: ['file:2']}\n")
    return path


def test_flag_comes_before_environment_and_file(config, monkeypatch):
    """The address that was typed is the only one."""
    monkeypatch.setenv("COORDINATE_ADDRESS", "environment:1")
    block = Session(config_path=config, address="flag:1").block()
    assert (block["address"], "addresses" in block) == ("flag:1", False)


def test_environment_comes_before_file(config, monkeypatch):
    """COORDINATE_ADDRESS is the only one then."""
    monkeypatch.setenv("COORDINATE_ADDRESS", "environment:1")
    block = Session(config_path=config).block()
    assert (block["address"], "addresses" in block) == ("environment:1", False)


def test_file_comes_before_the_default(config, monkeypatch):
    """All that the file says holds."""
    monkeypatch.delenv("COORDINATE_ADDRESS", raising=False)
    block = Session(config_path=config).block()
    assert (block["address"], block["addresses"]) == ("file:1", ["file:2"])
    assert Session().block()["address"] == "localhost:5932"


def test_missing_extra_is_told_in_one_line(monkeypatch, capsys):
    """Without click, rich or YAML the command says how to get them."""
    monkeypatch.setitem(sys.modules, "rich", None)
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    assert exit_info.value.code == 1
    assert capsys.readouterr().err == (
        "coordinate: the command line needs the extra: pip install 'coordinate-client[cli]'\n"
    )


def test_bad_configuration_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    """A file that is no configuration is an error of the operation."""
    path = tmp_path / "config.yaml"
    path.write_text("coordinate: 7\n")
    monkeypatch.setattr(sys, "argv", ["coordinate", "-c", str(path), "work_specs"])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    assert exit_info.value.code == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
