"""What a hostile client or a careless plug-in sends must not end or silence the server."""

import asyncio
from collections.abc import Awaitable

import pytest

from coordinate_protocol.messages import Failure, Request
from coordinate_server.model import Model, ModelSettings
from coordinate_server.proxy import MultiBackendProxyObject
from coordinate_server.service.call import Calls
from coordinate_server.service.clock import Clock
from coordinate_server.service.plugins import Plugin, PluginError, PluginName, load
from tests.server.independent_client import ServerError

HUGE = 10**5000


@pytest.mark.parametrize(
    "method, params",
    [
        ("get_work", ["w", {"max_jobs": HUGE}]),
        ("get_work", ["w", HUGE]),
        ("set_work_spec", [HUGE]),
        ("add_work_units", ["s", [HUGE]]),
        ("get_work_units", ["s", {"state": HUGE}]),
        ("list_work_specs", [{"limit": HUGE}]),
        ("get_work", ["w", {"lease_time": HUGE}]),
        ("add_work_units", ["s", [("k", {}, {"delay": HUGE})]]),
        ("set_work_spec", [{"name": "s", "min_gb": HUGE}]),
        ("set_work_spec", [{"name": "s", "interval": HUGE}]),
    ],
)
def test_error_about_a_huge_number_names_its_size(client, method, params):
    """Python cannot write out 5,000 digits, so the message gives the size instead."""
    with pytest.raises(ServerError, match="<integer of 16610 bits>"):
        client.call(method, *params)


def test_protocols_offered_may_hold_a_huge_number(client):
    """The refusal says what this server has, not that Python cannot write a number out."""
    with pytest.raises(ServerError, match="no protocol in common"):
        client.call("hello", {"protocol": HUGE})


class Rude:
    """A plug-in whose one method raises what no method should."""

    def __init__(self, error):
        self.error = error

    async def fail(self):
        raise self.error


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
def test_plugin_that_raises_no_ordinary_exception_is_answered(error):
    """Such an exception ends one call only, not the server and not the connection."""

    async def ask():
        proxy = MultiBackendProxyObject([Plugin("rude", Rude(error), lambda function: function())])
        calls = Calls(Model(ModelSettings()), Clock())
        answer = proxy.call(calls.open(), Request(1, "fail", []))
        assert isinstance(answer, Awaitable)
        return await answer

    answer = asyncio.run(ask())
    assert isinstance(answer, Failure)
    assert answer.message.startswith(type(error).__name__)


class Leaving:
    """A plug-in that ends the process while it is made."""

    def __init__(self):
        raise SystemExit(0)


def test_plugin_that_exits_while_made_is_named():
    """The server says which plug-in it was, and does not end as if all were well."""
    with pytest.raises(PluginError, match="Leaving: cannot be made: SystemExit"):
        load(PluginName(__name__, "Leaving"), {}, lambda function: function())
