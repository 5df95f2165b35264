"""A worker that runs units in several threads of one process, for work that waits."""

from concurrent.futures import ThreadPoolExecutor

from coordinate_client.workers.crew import Crew
from coordinate_client.workers.heart import Pulse
from coordinate_client.workers.loop import LoopWorker

__all__ = ["ThreadWorker"]


class ThreadWorker(LoopWorker):
    """A ``LoopWorker`` with as many threads as ``thread_worker: {num_workers}`` says.

    To the server it is one worker that has several units. Their code must not mind other threads.
    """

    def crew(self) -> Crew:
        """The loops of this worker, one for each thread."""
        pulse = Pulse(self.registered_id, self.parent, self.settings.heartbeat_interval)
        hands = [self.hand(titles=False) for _ in range(self.settings.num_threads)]
        return Crew(pulse, hands, packages=self.settings.packages)

    def work(self, crew: Crew) -> bool:
        """Run the loops to their end, each in a thread; whether any unit ran."""
        with ThreadPoolExecutor(len(crew.hands), "coordinate-unit") as pool:
            futures = [pool.submit(hand.loop.run) for hand in crew.hands]
            ran = [future.result() for future in futures]
        for hand in crew.hands:
            hand.loop.task_master.close()
        return any(ran)
