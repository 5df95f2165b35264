"""The sockets a server listens on."""

import errno
import socket

__all__ = ["ListenError", "listen", "shown_address"]

_BACKLOG = 1024
_ABSENT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_TRIES = 20


class ListenError(Exception):
    """The address cannot be listened on; the message is one line and says why."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Open a listening socket for each address of a host, all on one port.

    Arguments:
        host: a name or an address; empty for every interface.
        port: 0 takes a free one.

    Returns:
        The sockets, IPv4 first.

    Raises:
        ListenError: no such host, or the port is taken.
    """
    addresses = _addresses(host, port)
    for _ in range(_TRIES - 1):
        try:
            return _bind_all(addresses, port)
        except OSError as error:
            # A free port of one family may be taken in the other one: then another is taken.
            if port or error.errno != errno.EADDRINUSE:
                raise _failed(host, port, error) from error
    raise ListenError(f"no free port found on {host!r}")


def shown_address(sock: socket.socket) -> str:
    """Give the address of a socket as host:port, IPv6 in brackets."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise ListenError(f"cannot listen on {host!r}: {_reason(error)}") from error
    pairs = dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found)
    return sorted(pairs, key=lambda pair: pair[0] != socket.AF_INET)


def _bind_all(addresses: list[tuple[socket.AddressFamily, str]], port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for family, host in addresses:
            try:
                sockets.append(_bind(family, host, port))
            except OSError as error:
                # "localhost" may name an IPv6 address on a machine that has none.
                if error.errno not in _ABSENT or ((family, host) == addresses[-1] and not sockets):
                    raise
            else:
                port = sockets[0].getsockname()[1]
    except OSError:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        # Two sockets that reuse an address can both be bound; only one of them can listen.
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _failed(host: str, port: int, error: OSError) -> ListenError:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return ListenError(
            f"cannot listen on {where}: another program does, maybe another coordinated"
        )
    return ListenError(f"cannot listen on {where}: {_reason(error)}")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()
