"""A client of the wire that has a session, loses its connection, and asks again."""

import json
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from tests.server.independent_client import Client, Closed

PATIENCE = 30.0
"""Seconds after which a server that is not there, or does not answer, is a failure."""

_PAUSE = 0.02


class OutcomeUnknown(Exception):
    """The server does not know any more whether the call was done."""


class Failed(Exception):
    """The server answered with an error; the text is its first line."""


def pause(seconds):
    """Let time pass; nothing that happens meanwhile is waited for."""
    select.select([], [], [], seconds)


@frozen
class Sent:
    """A call that was sent.

    Arguments:
        number: of the record.
        id: of the request.
        read: gives what is recorded of the result.
    """

    number: int
    id: int
    read: Callable


class SessionClient:
    """Calls a server, each changing call once, whatever becomes of connections.

    Arguments:
        address_file: has the server's address as JSON; another one after a restart.
        recorder: notes every call.
        cut: called for each call that goes out; gives how to lose the connection: None for not at
            all, or one of CUTS.
    """

    CUTS = ("half", "sent", "answered")

    def __init__(self, address_file: Path, recorder, cut=lambda: None):
        self._address_file, self._recorder, self._cut = address_file, recorder, cut
        self._client: Client | None = None
        self._early: dict[int, dict] = {}
        self.session: bytes | None = None
        self._seq = 0

    def do(self, kind, args, method, params, read, *, changes=True):
        """Call, note it, and give what ``read`` makes of the result.

        Raises:
            OutcomeUnknown: whether it was done is not known; it was noted without an end.
            Failed: the server's answer was an error.
        """
        number = self._recorder.begin(kind, args)
        request = {"method": method, "params": params}
        if changes:
            self._seq += 1
            request |= {"seq": self._seq, "low": self._seq}
        result = read(self._answer(number, request))
        self._recorder.end(number, result)
        return result

    def close(self):
        """Close the connection; the session stays."""
        if self._client is not None:
            self._client.close()
            self._client = None

    # ---- calls that are sent first and answered later; they are not sent again ----

    def send(self, kind, args, method, params, read):
        """Note a call and send it; ``collect`` waits for its answer."""
        number = self._recorder.begin(kind, args)
        self._seq += 1
        client = self._connected(new=True)
        request = client.request(method, *params) | {"seq": self._seq, "low": self._seq}
        client.sock.sendall(client.message(request))
        return Sent(number, request["id"], read)

    def fence(self):
        """Wait until the server has taken everything that was sent."""
        client = self._connected(new=True)
        self._wait_for(client.send("mode_counts"))

    def collect(self, sent, seconds=PATIENCE):
        """Give the answer to a call that was sent; None if none comes, or not in time."""
        client = self._connected(new=True)
        client.sock.settimeout(seconds)
        try:
            result = sent.read(_result(self._wait_for(sent.id)))
        except (Closed, OSError):
            return None
        finally:
            client.sock.settimeout(PATIENCE)
        self._recorder.end(sent.number, result)
        return result

    def _wait_for(self, request_id):
        while request_id not in self._early:
            answer = self._connected(new=True).receive()
            self._early[answer["id"]] = answer
        return self._early.pop(request_id)

    # ---- one call ----

    def _answer(self, number, request):
        end, sent, thrown_away = time.monotonic() + PATIENCE, False, False
        while True:
            try:
                client = self._connected(new=not sent)
                how, sent = self._cut(), True
                answer = self._exchange(client, request, how)
                if "seq" in request and (how == "answered" or thrown_away):
                    thrown_away = True
                    self._recorder.repeat(number, _shown(answer))
                if how != "answered":
                    return _result(answer)
            except (OSError, Closed):
                self._recorder.repeat(number)
                if time.monotonic() > end:
                    raise
                pause(_PAUSE)
            self.close()

    def _exchange(self, client, request, how):
        message = client.message(client.request(request["method"], *request["params"]) | request)
        if how == "half":
            client.sock.sendall(message[: len(message) // 2])
            raise Closed
        client.sock.sendall(message)
        if how == "sent":
            raise Closed
        return client.receive()

    def _connected(self, *, new):
        """Give a connection of the session.

        Arguments:
            new: whether another session will do: not for a call that was sent already.
        """
        if self._client is None:
            host, port = json.loads(self._address_file.read_text())
            client = Client(socket.create_connection((host, port), timeout=PATIENCE))
            try:
                self._greet(client, new=new)
            except BaseException:
                client.close()
                raise
            self._client = client
        return self._client

    def _greet(self, client, *, new):
        given = client.call("hello", {"protocol": [1], "session": self.session or True})["session"]
        if given is None:
            self.session = None
            if not new:
                raise OutcomeUnknown("the session is not known any more")
            given = client.call("hello", {"protocol": [1], "session": True})["session"]
        self.session = given


def _result(answer):
    error = answer.get("error")
    if error is None:
        return answer["result"]
    if error.get("code") == "outcome_unknown":
        raise OutcomeUnknown(error["message"])
    raise Failed(error["message"].partition("\n")[0])


def _shown(answer):
    """Give an answer as it can be written down and compared."""
    return repr({name: value for name, value in answer.items() if name != "id"})
