"""Every store keeps the contract."""

from tests.store.contract import StoreContract, rest

__all__ = ["TestStores", "rest"]


class TestStores(StoreContract):
    """The contract, once for each store that the fixture `opened` gives."""
