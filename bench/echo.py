"""A bare CBOR echo: the ceiling of what a server on this loop and codec can answer.

It decodes each message and encodes an answer of the same shape as Coordinate's, and does nothing
else: no names, no state, no commit. `python bench/echo.py` prints the address that it listens on.
"""

import asyncio
from typing import cast

import cbor2
import uvloop

HEAD_BYTES = 4  # tag 24 and a byte string's head, for contents of 24 to 255 bytes


class Echo(asyncio.Protocol):
    """Answers each wrapped message of 24 to 255 bytes, which all of the benchmark's are."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        # uvloop's transport is none by class, so only a cast tells mypy.
        self.transport = cast("asyncio.Transport", transport)
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer every message that is complete."""
        buffer = self.buffer + data if self.buffer else data
        start = 0
        while len(buffer) - start >= HEAD_BYTES:
            end = start + HEAD_BYTES + buffer[start + 3]
            if len(buffer) < end:
                break
            request = cbor2.loads(buffer[start + HEAD_BYTES : end])
            answer = cbor2.dumps({"id": request["id"], "result": cbor2.CBORTag(128, [True, None])})
            self.transport.write(cbor2.dumps(cbor2.CBORTag(24, answer)))
            start = end
        self.buffer = buffer[start:]


async def serve() -> None:
    """Listen on a free port of localhost until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"listening on {host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
