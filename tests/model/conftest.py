"""A model with one namespace, and a moment that moves only by hand."""

import pytest

from coordinate_protocol.codec import encode
from coordinate_server.model import (
    Instant,
    ModelSettings,
    NewUnit,
    UnitUpdate,
    WorkRequest,
)
from tests.model.snapshot import Rows


class House:
    """One namespace with short calls; keeps the rows that its changes make.

    Arguments:
        settings: those of the model that are not as usual.
    """

    def __init__(self, **settings):
        self.settings = ModelSettings(key_bytes=20, unit_data_bytes=100, **settings)
        self.at = Instant(1000.0, 1_700_000_000.0)
        self.rows = Rows()
        self.model = self.load(self.at)

    def load(self, at):
        """Rebuild the model from the rows, which it may go on to read."""
        return self.rows.load(at, self.settings, self.rows)

    @property
    def space(self):
        return self.model.namespace("n")

    def advance(self, seconds):
        self.at = Instant(self.at.now + seconds, self.at.wall + seconds)

    def commit(self):
        changes = self.model.take_changes(self.at)
        self.rows.apply(changes)
        return changes

    def restart(self, at=None):
        self.commit()
        self.model = self.load(at or self.at)

    def leave(self):
        """Have all ended units leave memory that may."""
        self.commit()
        while self.model.shelve(10):
            pass

    def spec(self, name, **fields):
        self.space.set_spec(self.at, {"name": name, "min_gb": 1, **fields})

    def add(self, spec, *keys, data=None, **options):
        encoded = encode({} if data is None else data)
        units = [NewUnit(key.encode(), encoded, **options) for key in keys]
        self.space.add_units(self.at, spec, units)

    def get(self, worker="w", most=1, specs=None, **options):
        request = WorkRequest(max_jobs=most, spec_names=specs, **options)
        return self.space.get_work(self.at, worker, request)

    def keys(self, *arguments, **options):
        return [unit.key.decode() for unit in self.get(*arguments, **options)]

    def update(self, spec, key, **wanted):
        if "data" in wanted:
            wanted["data"] = encode(wanted["data"])
        return self.space.update_unit(self.at, spec, key.encode(), UnitUpdate(**wanted))

    def unit(self, spec, key):
        return self.space.unit_status(self.at, spec, [key.encode()])[0]

    def counts(self, spec):
        return self.space.count_units(self.at, spec)


@pytest.fixture
def house():
    """A fresh house."""
    return House()
