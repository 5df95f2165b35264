"""A real coordinated under strace, and its clients over TCP."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.crash.diary import Diary, read_diary
from tests.crash.tracing import PATIENCE
from tests.crash.workload import CLIENTS, Client
from tests.server import independent_client
from tests.server.independent_client import Closed
from tests.server.running import environment

_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")


class TracedServer:
    """A server in a directory, whose calls are traced, and three clients.

    Arguments:
        home: the directory, which is there.
        seed: for what the clients ask.
        options: strace's.
    """

    def __init__(self, home, seed, options):
        self.home, self.data, self.trace = home, home / "data", home / "trace"
        self._diary = Diary(home / "diary")
        self._clients = [Client(number, seed) for number in range(CLIENTS)]
        self.answers = 0
        self._has_hung_up = False
        self._errors = (home / "errors").open("w+")
        tracer = ["strace", "-f", "-qq", *options, "-o", str(self.trace)]
        arguments = ["--port", "0", "--data", str(self.data)]
        self.process = subprocess.Popen(
            [*tracer, sys.executable, "-m", "coordinate_server", *arguments],
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._port = self._listening()

    def _listening(self):
        """Give the port, or None if it has ended before it had one."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if match := _LISTENING.match(line):
                return int(match[1])
        return None

    def drive(self, rounds):
        """Have all clients ask at once, again and again; ends early when the server is gone."""
        if self._port is None:
            return
        try:
            wires = [self._connected() for _ in self._clients]
        except OSError:
            self._has_hung_up = True
            return
        try:
            for _ in range(rounds):
                self._round(wires)
        except (OSError, Closed):
            self._has_hung_up = bool(self._asking())
        finally:
            for wire in wires:
                wire.close()

    def _connected(self):
        sock = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        return independent_client.Client(sock)

    def _asking(self):
        """Give those that are not refused, with their numbers: without them there are no calls."""
        return [item for item in enumerate(self._clients) if not item[1].refused]

    def _round(self, wires):
        asked = []
        for number, client in self._asking():
            request = client.next_request()
            self._diary.asked(number, request)
            asked.append((number, client, request))
        if not asked:
            raise Closed
        for number, _, request in asked:
            wires[number].sock.sendall(_message(wires[number], request))
        self._take_answers(wires, asked)

    def _take_answers(self, wires, asked):
        """Take them from all that have answered, before anybody's loss ends the round."""
        lost = None
        for number, client, request in asked:
            try:
                self._take(number, client, request, wires[number].receive())
            except (OSError, Closed) as error:
                lost = error
        if lost is not None:
            raise lost

    def _take(self, number, client, request, answer):
        error = answer.get("error")
        if error is not None:
            assert error.get("code") == "disk_full", f"{request} was answered with {error}"
            self._diary.refused(number, error["message"])
            client.refused = True
            return
        client.answered(request, self._diary.answered(number, answer["result"]))
        self.answers += 1

    def stop(self):
        """Ask it to end, unless it does; gives strace's exit status, which is the server's."""
        # One that has hung up is ending: a signal would come between its last line and its end.
        if not self._has_hung_up and self.process.poll() is None:
            for pid in _children(self.process.pid):
                os.kill(pid, signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)
        self._diary.close()
        self._errors.close()
        return self.process.returncode

    def errors(self):
        """Give what it wrote to its standard error."""
        return (self.home / "errors").read_text()

    def known(self):
        """Give what each client knows."""
        return read_diary((self.home / "diary").read_text())


def _message(wire, request):
    numbers = {name: request[name] for name in ("seq", "low") if name in request}
    return wire.message(wire.request(request["method"], *request["params"]) | numbers)


def _children(pid):
    """Give the processes that a process has started; none once it is about to end."""
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except FileNotFoundError:
        return []
