"""Keys of units as people read them."""

__all__ = ["key_text"]


def key_text(key: bytes) -> str:
    """Give a unit's key for people."""
    try:
        return repr(key.decode())
    except UnicodeDecodeError:
        return repr(key)
