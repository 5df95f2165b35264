"""What the server should do, said as plainly as possible: dicts, and sorting on every call."""

AVAILABLE, PENDING, FINISHED, FAILED, DELAYED = 1, 3, 4, 5, 6


class Oracle:
    """The wire's operations over plain dicts; texts are keys, maps are data."""

    def __init__(self, now, wall, grace=60, keep=2):
        self.now, self.wall, self.grace, self.keep = now, wall, grace, keep
        self.specs = {}

    def advance(self, seconds):
        """Let time go by."""
        self.now += seconds
        self.wall += seconds
        for spec in self.specs.values():
            for unit in spec["units"].values():
                expired = unit["status"] == PENDING and unit["deadline"] <= self.now
                woken = unit["status"] == DELAYED and unit["not_before"] <= self.wall
                if expired:
                    self.give_up(unit)
                elif woken:
                    self.free(unit)

    def restart(self):
        """Everything leased has the grace period."""
        for spec in self.specs.values():
            for unit in spec["units"].values():
                if unit["status"] == PENDING:
                    unit["deadline"] = max(unit["deadline"], self.now + self.grace)

    @staticmethod
    def free(unit):
        unit.update(status=AVAILABLE, worker=None, deadline=None, not_before=None, ended=None)
        unit["cancel"] = False

    def give_up(self, unit):
        """Whoever has a unit has it no more; one that was cancelled is over."""
        cancelled = unit["cancel"]
        self.free(unit)
        if cancelled:
            self.fail_cancelled(unit)

    def fail_cancelled(self, unit):
        self.free(unit)
        unit.update(status=FAILED, ended=self.wall)
        if isinstance(unit["data"], dict):
            unit["data"] = unit["data"] | {"traceback": "cancelled"}

    def cancel(self, name, keys, *, now):
        """What becomes of each; None where there is no such spec."""
        if name not in self.specs:
            return None
        units = self.specs[name]["units"]
        return [self.cancel_one(units[key], now) if key in units else "unknown" for key in keys]

    def cancel_one(self, unit, now):
        if unit["status"] in (FINISHED, FAILED):
            return "ended"
        if unit["status"] == PENDING and unit["worker"] is not None and not now:
            unit["cancel"] = True
            return "asked"
        self.fail_cancelled(unit)
        return "cancelled"

    def to_end(self, worker):
        """The units that a worker is told to end."""
        return {
            (name, key)
            for name, spec in self.specs.items()
            for key, unit in spec["units"].items()
            if unit["status"] == PENDING and unit["cancel"] and unit["worker"] == worker
        }

    def set_spec(self, definition):
        old = self.specs.get(definition["name"], {"units": {}, "archived": {}})
        paused = bool(definition.get("disabled"))
        self.specs[definition["name"]] = {**old, "definition": definition, "paused": paused}

    def pause(self, name, paused):
        if name in self.specs:
            self.specs[name]["paused"] = paused

    def add(self, name, units):
        """Units as (key, data, options)."""
        if name not in self.specs:
            return
        for key, data, options in units:
            unit = self.specs[name]["units"].setdefault(key, {"priority": 0})
            self.free(unit)
            unit["data"] = data
            if options.get("priority") is not None:
                unit["priority"] = options["priority"]
            if options.get("delay"):
                unit.update(status=DELAYED, not_before=self.wall + options["delay"])

    def ready(self, name):
        units = self.specs[name]["units"]
        keys = [key for key, unit in units.items() if unit["status"] == AVAILABLE]
        return sorted(keys, key=lambda key: (-units[key]["priority"], key))

    def room(self, name):
        units = self.specs[name]["units"].values()
        pending = sum(unit["status"] == PENDING for unit in units)
        return self.specs[name]["definition"].get("max_running", 1000) - pending

    def able(self, names, available_gb):
        return {
            name
            for name, spec in self.specs.items()
            if not spec["paused"]
            and (not names or name in names)
            and self.ready(name)
            and self.room(name) > 0
            and (available_gb is None or spec["definition"]["min_gb"] <= available_gb)
        }

    def reached(self, name, *, preempting):
        """What comes after a spec, in order, itself too if it is in a loop."""
        found = []
        while name in self.specs:
            definition = self.specs[name]["definition"]
            if preempting and not definition.get("then_preempts", True):
                break
            name = definition.get("then")
            if name in found or name not in self.specs:
                break
            found.append(name)
        return found

    def choices(self, names, available_gb):
        """The specs that a hand-out may come from; weights choose among these."""
        able = self.able(names, available_gb)
        free = {
            name
            for name in able
            if name in self.reached(name, preempting=False)
            or not able.intersection(self.reached(name, preempting=True))
        }
        ranks = {name: self.rank(name) for name in free}
        return {name for name in free if ranks[name] == max(ranks.values())}

    def rank(self, name):
        first = self.ready(name)[0]
        spec = self.specs[name]
        return spec["definition"].get("priority", 0), spec["units"][first]["priority"]

    def take(self, worker, name, most, lease):
        """Hand out units of a spec; gives (spec, key, data) of each."""
        most = min(most, self.room(name), self.specs[name]["definition"].get("max_getwork", most))
        keys = self.ready(name)[:most]
        for key in keys:
            unit = self.specs[name]["units"][key]
            unit.update(status=PENDING, worker=worker, deadline=self.now + lease)
        return [(name, key, self.specs[name]["units"][key]["data"]) for key in keys]

    def update(self, name, key, status=None, lease=None, data=None, worker=None):
        """Whether it is done; status is the new one."""
        unit = self.specs.get(name, {"units": {}})["units"].get(key)
        if unit is None or (status is None and lease is None and data is None):
            return False
        if worker is not None and (unit["worker"] != worker or unit["status"] != PENDING):
            # Ending again what one has ended is fine, and does nothing.
            ended = unit["worker"] == worker and unit["status"] in (FINISHED, FAILED)
            again = {FINISHED: (FINISHED, FAILED), FAILED: (FAILED,)}
            return ended and status in again[unit["status"]]
        if unit["status"] == FINISHED and status == FAILED:
            return True
        if data is not None:
            unit["data"] = data
        if unit["status"] == PENDING and status in (None, PENDING) and lease is not None:
            unit["deadline"] = self.now + lease
            if lease < 0:
                self.give_up(unit)
        elif status is not None and status != unit["status"]:
            self.go(name, key, unit, status, 300 if lease is None else lease)
        return True

    def go(self, name, key, unit, status, lease):
        if status == AVAILABLE:
            self.free(unit)
        elif status == PENDING:
            self.free(unit)
            unit.update(status=PENDING, deadline=self.now + max(lease, 0))
        else:
            unit.update(status=status, deadline=None, not_before=None, ended=self.wall)
            unit["cancel"] = False
            if status == FINISHED:
                self.chain(name, unit)

    def chain(self, name, unit):
        output = unit["data"].get("output") or {}
        children = [(key, data, {"priority": unit["priority"]}) for key, data in output.items()]
        self.add(self.specs[name]["definition"].get("then"), children)

    def delete(self, name, *, keys=None, state=None, everything=False):
        if name not in self.specs:
            return 0
        spec = self.specs[name]
        gone = [
            key
            for key, unit in spec["units"].items()
            if everything
            or ((keys is None or key in keys) and (state is None or unit["status"] == state))
        ]
        for key in gone:
            del spec["units"][key]
        if everything:
            archived = sum(spec["archived"].values())
            spec["archived"] = {}
        else:
            archived = spec["archived"].pop(state, 0) if keys is None else 0
        return len(gone) + archived

    def prioritize(self, name, keys, priority, adjustment):
        units = self.specs[name]["units"] if name in self.specs else {}
        for key in set(keys) & set(units):
            moved = units[key]["priority"] + (adjustment or 0)
            units[key]["priority"] = moved if priority is None else priority

    def archive(self):
        for spec in self.specs.values():
            for status in (FINISHED, FAILED):
                ended = [(u["ended"], k) for k, u in spec["units"].items() if u["status"] == status]
                for _, key in sorted(ended, reverse=True)[self.keep :]:
                    del spec["units"][key]
                    spec["archived"][status] = spec["archived"].get(status, 0) + 1

    def counts(self, name):
        spec = self.specs[name]
        found = dict(spec["archived"])
        for unit in spec["units"].values():
            found[unit["status"]] = found.get(unit["status"], 0) + 1
        return found

    def statuses(self, name):
        """What get_work_unit_status says of every unit."""
        found = {}
        for key, unit in self.specs[name]["units"].items():
            expiration = unit["ended"]
            if unit["deadline"] is not None:
                expiration = self.wall + unit["deadline"] - self.now
            found[key] = (unit["status"], unit["worker"], expiration)
        return found
