"""What people see of real workers, and ask of some of them."""

from tests.soak.fleet import wait_until
from tests.workers.conftest import PATIENCE


def start(site, **block):
    """A worker, once the server knows of it, and not only of its children."""

    def there():
        return any("parent" not in worker for worker in site.master.list_workers())

    parent = site.start(**block)
    assert wait_until(there)
    return parent


def packages_of(site):
    """What the workers say is installed."""
    said = [site.master.get_heartbeat(name).get("packages", {}) for name in site.master.workers()]
    return {name: version for packages in said for name, version in packages.items()}


def test_what_a_unit_taken_away_ends_with_changes_nothing(site):
    """It has failed before its worker knows of it."""
    site.spec("meets")
    site.add("a")
    parent = start(site)
    site.meet()
    assert site.master.cancel("s", "a", now=True) == ["cancelled"]
    assert site.master.status("s")["num_failed"] == 1
    site.let_go()
    assert wait_until(lambda: site.notes() == ["a"])
    assert parent.stop() == 0
    site.status(failed=1, finished=0, available=0)


def test_a_host_is_drained_of_its_workers(site):
    """They end by themselves, and one that is started there later ends, too."""
    site.spec()
    parent = start(site)
    (host,) = {worker["host"] for worker in site.master.list_workers()}
    assert site.master.set_modes("TERMINATE", hosts=[host]) >= 1
    assert parent.process.wait(PATIENCE) == 0
    assert wait_until(lambda: not parent.processes())
    assert site.master.workers() == {}
    assert site.start().process.wait(PATIENCE) == 0


def test_what_runs_is_seen_with_its_worker(site):
    """The child that has the unit, and the parent, which says since when it runs."""
    site.spec("meets")
    site.add("a")
    parent = start(site)
    site.meet()
    (child,) = [worker for worker in site.master.list_workers() if worker["units"]]
    assert child["units"][0]["work_unit_key"] == "a"
    assert child["parent"] in site.master.workers()
    site.let_go()
    site.status(finished=1)
    assert parent.stop() == 0


def test_packages_are_told_once_they_are_asked_for(site):
    """At once, and they stay to be seen, though later heartbeats do not repeat them."""
    site.spec()
    parent = start(site)
    assert packages_of(site) == {}
    site.master.request_packages(site.master.workers())
    assert wait_until(lambda: "attrs" in packages_of(site))
    assert parent.stop() == 0
