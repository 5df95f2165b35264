"""The calls that histories are made of: from Python to the wire, and back to what is recorded."""

from tests.histories.wire import SessionClient

STATUS = {"finish": 4, "fail": 5, "release": 1}
MOST = 10_000


class LockCaller(SessionClient):
    """Locks; paths are tuples."""

    locker = "nobody"

    def lock(self, timeout, paths, *, mode="exclusive", wait=0, reentrant=False):
        args = {"locker": self.locker, "timeout": timeout, "paths": paths, "mode": mode}
        args |= {"wait": wait, "reentrant": reentrant}
        params, options = self._lock_params(args)
        return self.do("lock", args, "lock", [*params, options], _grant)

    def ask_for_lock(self, timeout, paths, *, mode="exclusive", wait=0):
        """Send the call and do not wait for its answer."""
        args = {"locker": self.locker, "timeout": timeout, "paths": paths, "mode": mode}
        args |= {"wait": wait, "reentrant": False}
        params, options = self._lock_params(args)
        return self.send("lock", args, "lock", [*params, options], _grant)

    @staticmethod
    def _lock_params(args):
        options = {name: args[name] for name in ("mode", "wait", "reentrant")} | {"grant": True}
        return [args["locker"], args["timeout"], args["paths"]], options

    def locksome(self, timeout, paths, *, mode="exclusive"):
        args = {"locker": self.locker, "timeout": timeout, "paths": paths, "mode": mode}
        params = [self.locker, timeout, paths, {"mode": mode, "grant": True}]
        return self.do("locksome", args, "locksome", params, _some)

    def renew(self, timeout, paths, token):
        args = {"locker": self.locker, "timeout": timeout, "paths": paths, "token": token}
        return self.do(
            "renew", args, "renew", [self.locker, timeout, paths, {"token": token}], _done
        )

    def unlock(self, paths, token, *, locker=None):
        args = {"locker": locker or self.locker, "paths": paths, "token": token}
        options = {} if token is None else {"token": token}
        return self.do("unlock", args, "unlock", [args["locker"], paths, options], _done)

    def readlock(self, paths):
        return self.do(
            *("readlock", {"paths": paths}, "readlock", [paths]),
            lambda owners: {"owners": list(owners)},
            changes=False,
        )

    def list_locks(self, path=()):
        return self.do(
            *("list_locks", {"path": path}, "list_locks", [{"path": path, "limit": MOST}]),
            _listed,
            changes=False,
        )

    def force_unlock(self, paths):
        return self.do(
            *("force_unlock", {"paths": paths}, "force_unlock", [paths]),
            lambda number: {"number": number},
        )


def _grant(result):
    if result["granted"]:
        return {"token": result["token"], "expires": result["expires"]}
    known = {name: result[name] for name in ("holder", "path", "cycle") if name in result}
    return {"refused": result["code"], **known}


def _some(result):
    return {"paths": result["paths"], "token": result["token"]}


def _done(result):
    done, message = result
    return {"done": done, "message": message}


def _listed(result):
    locks, following = result
    assert following is None
    return {"locks": [_lock(lock) for lock in locks]}


def _lock(lock):
    told = {"path": lock["path"], "locker": lock["locker_id"], "token": lock["token"]}
    return told | {"waiters": [waiter["locker_id"] for waiter in lock["waiters"]]}


class WorkCaller(SessionClient):
    """Works; ``worker`` is its name."""

    worker = "nobody"

    def define(self, name, **definition):
        """Make a work spec; part of no history."""
        self.do("spec", {}, "set_work_spec", [{"name": name, "min_gb": 0, **definition}], _done)

    def add(self, spec, keys, **options):
        """Add units; ``locks`` may be among the options of all of them."""
        units = [(key, {"key": key}, options) for key in keys]
        args = {"spec": spec, "keys": list(keys), **options}
        return self.do("add", args, "add_work_units", [spec, units], _done)

    def ask_to_add(self, spec, keys):
        """Send the call and do not wait for its answer."""
        units: list = [(key, {"key": key}, {}) for key in keys]
        args = {"spec": spec, "keys": list(keys)}
        return self.send("add", args, "add_work_units", [spec, units], _done)

    def get_work(self, lease_time, *, wait=0, specs=None, most=1):
        params, args = self._asking(lease_time, wait, specs, most)
        return self.do("get_work", args, "get_work", params, lambda result: _units(result[0], most))

    def ask_for_work(self, lease_time, *, wait=0, specs=None):
        """Send the call and do not wait for its answer."""
        params, args = self._asking(lease_time, wait, specs, 1)
        return self.send("get_work", args, "get_work", params, lambda result: _units(result[0], 1))

    def _asking(self, lease_time, wait, specs, most):
        options = {"attempts": True, "lease_time": lease_time, "max_jobs": most}
        options |= ({"wait": wait} if wait else {}) | ({"work_spec_names": specs} if specs else {})
        args = {"worker": self.worker, "lease_time": lease_time, "wait": wait, "specs": specs}
        return [self.worker, options], args

    def update(self, *updates, following=None):
        """Say what became of units, and ask for the next: ``following`` is a lease time for that.

        Arguments:
            updates: (unit, what, lease time or data); ``unit`` as ``get_work`` gave it.
            following: None not to ask.
        """
        said = [_said(*update) for update in updates]
        args: dict = {"updates": [one for one, _ in said]}
        options = {}
        if following is not None:
            args |= {"worker": self.worker, "lease_time": following}
            options["get_work"] = {"worker_id": self.worker, "lease_time": following}
        params = [[params for _, params in said], options]
        return self.do("updates", args, "update_work_units", params, _updated)

    def count(self, spec):
        """Give how many units there are in each status."""
        return self._read("count_work_units", [spec])[0]

    def final(self, specs, keys, *, over=True):
        """Read what became of all units; ``over`` says that they should have ended."""

        def ask(spec):
            wanted = keys[spec]
            status, _ = self._read("get_work_unit_status", [spec, wanted])
            units, _ = self._read("get_work_units", [spec, {"work_unit_keys": wanted}])
            return zip(wanted, status, [data for _, data in units], strict=True)

        number = self._recorder.begin("final", {"specs": specs, "over": over})
        units = [
            (spec, key, {"status": status["status"], "by": (data or {}).get("by")})
            for spec in specs
            for key, status, data in ask(spec)
            if status is not None
        ]
        self._recorder.end(number, {"ended": units})

    def _read(self, method, params):
        return self.do("read", {}, method, params, lambda result: result, changes=False)


def _units(units, most):
    found = units if most != 1 else [units] if units[0] is not None else []
    return {"units": [_unit(unit) for unit in found]}


def _unit(unit):
    spec, key, _, told = unit
    given = {"spec": spec, "key": key, "attempt": told["attempt"], "expires": told["expires"]}
    locks = [(lock["path"], lock["mode"]) for lock in told.get("locks", ())]
    return given | ({"locks": locks} if locks else {})


def _said(unit, what, more=None):
    said = {name: unit[name] for name in ("spec", "key", "attempt")} | {"what": what}
    options = {"attempt": unit["attempt"]}
    if what == "renew":
        said["lease_time"] = options["lease_time"] = more
    else:
        options |= {"status": STATUS[what]} | ({"data": more} if more else {})
    return said, (unit["spec"], unit["key"], options)


def _updated(result):
    results, units, _ = result
    told = [{"done": one["done"], "code": one.get("code")} for one in results]
    return {"results": told} | ({} if units is None else _units(units, 0))
