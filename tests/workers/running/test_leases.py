"""Leases while code runs: renewed in time, noticed to be lost, left alone afterwards."""

import threading

import pytest

from coordinate_client.workers.running import Runner, RunnerSettings
from tests.workers.running import code
from tests.workers.running.desk import LOST, Desk, FakeAlarms


@pytest.fixture
def desk():
    """A server."""
    return Desk()


@pytest.fixture
def alarms():
    """Alarms that ring when the test says so."""
    return FakeAlarms()


@pytest.fixture
def meanwhile(monkeypatch):
    """Has something happen while a unit's code runs."""

    def chosen(act):
        monkeypatch.setattr(code, "HOOKS", {"began": act, "meanwhile": act})

    return chosen


def test_a_lease_is_renewed_when_half_of_it_is_left(desk, alarms, meanwhile):
    renewed: list = []
    runner = Runner(RunnerSettings(), alarms=alarms, on_renewed=renewed.append)
    unit = desk.unit("told_meanwhile", lease=900)
    before = unit.expires

    def act(_):
        alarms.move(449)
        assert not desk.updates
        alarms.move(2)
        assert [update["lease_time"] for update in desk.updates] == [900]

    meanwhile(act)
    assert runner.run(unit).outcome == "finished"
    assert renewed == [unit]
    assert unit.expires >= before
    assert not alarms.waiting


def test_a_renewal_says_nothing_of_the_data_and_names_the_attempt(desk, alarms, meanwhile):
    def act(unit):
        unit.data["half"] = "written"
        alarms.move(451)

    meanwhile(act)
    Runner(RunnerSettings(), alarms=alarms).run(desk.unit("told_meanwhile", lease=900))
    assert desk.updates[0] == {"lease_time": 900, "worker_id": "w", "attempt": 7}


def test_a_lease_is_renewed_again_and_again(desk, alarms, meanwhile):
    meanwhile(lambda _: [alarms.move(300) for _ in range(10)])
    runner = Runner(RunnerSettings(), alarms=alarms)
    assert runner.run(desk.unit("told_meanwhile", lease=900)).outcome == "finished"
    renewals = [update for update in desk.updates if "lease_time" in update]
    assert len(renewals) >= 5


def test_a_unit_that_waited_for_its_turn_is_renewed_at_once(desk, alarms, meanwhile):
    unit = desk.unit("told_meanwhile", lease=900)
    unit.expires -= 600
    meanwhile(lambda _: alarms.move(0))
    assert Runner(RunnerSettings(), alarms=alarms).run(unit).outcome == "finished"
    assert desk.updates[0]["lease_time"] == 900


def test_code_that_renews_its_lease_is_left_alone(desk, alarms, meanwhile):
    def act(unit):
        alarms.move(440)
        unit.expires += 440
        alarms.move(20)
        assert not desk.updates

    meanwhile(act)
    runner = Runner(RunnerSettings(), alarms=alarms)
    assert runner.run(desk.unit("told_meanwhile", lease=900)).outcome == "finished"


def test_the_server_can_say_that_a_lease_is_lost(desk, alarms, meanwhile):
    desk.results.append(LOST)
    meanwhile(lambda _: alarms.move(451))
    ran = Runner(RunnerSettings(), alarms=alarms).run(desk.unit("notes_kind", lease=900))
    assert ran.outcome == "lost"
    assert str(ran.reason).startswith("lost the lease on work unit 'k' of 's'")
    assert len(desk.updates) == 1


def test_code_that_ends_before_it_hears_of_that_is_lost_all_the_same(desk, alarms, meanwhile):
    desk.results.append(LOST)

    def act(_):
        thread = threading.Thread(target=alarms.waiting[0].called)
        alarms.clock.now += 451
        thread.start()
        thread.join()
        alarms.join()

    meanwhile(act)
    runner = Runner(RunnerSettings(), alarms=alarms)
    assert runner.run(desk.unit("told_meanwhile", lease=900), finish=False).outcome == "lost"


def test_a_lease_that_nobody_renews_runs_out(desk, alarms, meanwhile):
    meanwhile(lambda _: alarms.move(901))
    runner = Runner(RunnerSettings(auto_renew=False), alarms=alarms)
    ran = runner.run(desk.unit("waits", lease=900))
    assert ran.outcome == "lost"
    assert str(ran.reason).endswith("it ran out")
    assert not desk.updates


def test_a_server_that_is_away_is_asked_again(desk, alarms, meanwhile):
    error = RuntimeError("not now")
    desk.results += [error, error]
    meanwhile(lambda _: alarms.move(470))
    runner = Runner(RunnerSettings(), alarms=alarms)
    assert runner.run(desk.unit("told_meanwhile", lease=900)).outcome == "finished"
    assert [("lease_time" in update) for update in desk.updates] == [True, True, True, False]


def test_a_lease_runs_out_while_the_server_is_away(desk, alarms, meanwhile):
    desk.results += [RuntimeError("not now")] * 1000
    meanwhile(lambda _: alarms.move(901))
    ran = Runner(RunnerSettings(), alarms=alarms).run(desk.unit("waits", lease=900))
    assert (ran.outcome, str(ran.reason)[-10:]) == ("lost", "it ran out")


def test_units_without_a_lease_run_without_one(desk, alarms, meanwhile):
    meanwhile(lambda _: alarms.move(10_000))
    assert Runner(RunnerSettings(), alarms=alarms).run(desk.unit("told_meanwhile")).outcome == (
        "finished"
    )
