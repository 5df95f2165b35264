"""Settings: addresses in all their forms, and where they come from."""

import sys
from types import SimpleNamespace

import pytest

from coordinate_client import ProgrammerError
from coordinate_client.backoff import Backoff, chance
from coordinate_client.settings import Address, ClientSettings, global_config, parse_address


@pytest.mark.parametrize(
    "value,text",
    [
        ("a:1", "a:1"),
        ("a", "a:5932"),
        (["a", 1], "a:1"),
        (("a", "1"), "a:1"),
        ("[::1]:7", "[::1]:7"),
        ("[::1]", "[::1]:5932"),
        (("::1", 7), "[::1]:7"),
    ],
)
def test_address_has_many_forms(value, text):
    """Each of them means one host and one port."""
    assert str(parse_address(value)) == text


@pytest.mark.parametrize(
    "value", ["", ":1", "a:", "a:x", "a:0", "a:65536", "::1", "[::1", ["a"], 5, ["a", True]]
)
def test_bad_address_is_named(value):
    """The error shows the value."""
    with pytest.raises(ProgrammerError, match="must be 'host:port'"):
        parse_address(value)


def test_addresses_of_all_settings_come_in_order_and_once():
    """First `address`, then `addresses`, then `registry_addresses`; one or a list in each."""
    config = {
        "address": ("a", 1),
        "addresses": ["b:2", ["c", 3], "a:1"],
        "registry_addresses": [("d", 4), "b:2"],
    }
    found = ClientSettings.of(config).addresses
    assert [str(address) for address in found] == ["a:1", "b:2", "c:3", "d:4"]


def test_list_of_two_texts_is_two_addresses():
    """Only a number in second place makes a list one address."""
    found = ClientSettings.of({"address": ["a:1", "b:2"]}).addresses
    assert [str(address) for address in found] == ["a:1", "b:2"]


def test_nothing_configured_is_localhost():
    """The defaults are 0.1.5's."""
    settings = ClientSettings.of({})
    assert settings.addresses == (Address("localhost", 5932),)
    assert (settings.retries, settings.base_retry_seconds) == (5, 0.5)
    assert settings.default_lifetime == 900
    assert (settings.sessions, settings.poll_seconds) == (True, 1.0)


@pytest.mark.parametrize(
    "config",
    [
        {"retries": -1},
        {"base_retry_seconds": "x"},
        {"namespace": 5},
        {"sessions": 1},
        {"poll_seconds": 0},
        {"poll_seconds": -1},
    ],
)
def test_bad_setting_is_named(config):
    """The error names the setting."""
    with pytest.raises(ProgrammerError, match=next(iter(config))):
        ClientSettings.of(config)


def test_global_configuration_is_the_applications(monkeypatch):
    """It counts only where the application has imported yakonfig."""
    monkeypatch.delitem(sys.modules, "yakonfig", raising=False)
    assert global_config() == {}
    found = {"address": "a:1"}
    monkeypatch.setattr(
        "coordinate_protocol.configuration._yakonfig",
        lambda: SimpleNamespace(get_global_config=lambda name: {"coordinate": found}[name]),
    )
    monkeypatch.setitem(sys.modules, "yakonfig", SimpleNamespace())
    assert global_config() == found


def test_pause_is_capped_and_spread():
    """Luck moves it between half and all of its length; no pause is longer than the longest."""
    backoff = Backoff(0.5, 30)
    assert [backoff.pause(2, luck) for luck in (0.0, 1.0)] == [1.0, 2.0]
    assert backoff.pause(1000, 1.0) == 30
    assert 0 <= chance() <= 1
