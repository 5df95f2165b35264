"""The thread of the alarms sleeps while nothing is due, however many alarms come and go."""

from threading import Event

from coordinate_client.workers.running.alarms import Alarms


class CountedAlarms(Alarms):
    """Alarms whose clock stands, and which count how often their thread is woken."""

    def __init__(self):
        super().__init__(lambda: 1000.0)
        self.woken = 0

    def _wake(self):
        self.woken += 1
        super()._wake()

    def look(self):
        """Have the thread look at the alarms."""
        looked = Event()
        self.after(0.0, looked.set)
        assert looked.wait(30)


def test_alarms_that_are_taken_back_do_not_each_wake_the_thread():
    """Nor where the thread did not get to look at the first of them."""
    alarms = CountedAlarms()
    alarms.drop(alarms.after(30.0, alarms.look))
    alarms.look()
    before = alarms.woken
    for seconds in range(100):
        alarms.drop(alarms.after(30.0 + seconds, alarms.look))
    # It may be on its way to look once more.
    assert alarms.woken <= before + 2


def test_an_alarm_before_all_others_wakes_the_thread():
    """Also where those were taken back."""
    alarms = CountedAlarms()
    for seconds in range(100, 0, -10):
        alarms.drop(alarms.after(float(seconds), alarms.look))
    alarms.look()
    alarms.look()
