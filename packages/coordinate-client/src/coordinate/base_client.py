"""Where 0.1.5 had its calls."""

from coordinate_client import CborRpcClient

__all__ = ["CborRpcClient"]
