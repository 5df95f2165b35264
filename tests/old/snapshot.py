"""Has 0.1.5 make a snapshot, for the tests of what reads them: Python 2.

The argument is a directory; the one in tests/server/old_snapshots was made with this.
"""

import sys
import time

from coordinate.job_server import JobQueue

FINISHED, FAILED = 4, 5

names = sys.argv[1] + "/snapshot_{timestamp}"
queue = JobQueue({"snapshot_path_format": names, "limit_completed_count": 1})
first = {"name": "s", "min_gb": 1, "module": "m", "run_function": "f", "then": "t"}
first.update(weight=7, config={"a": [1, 2.5, None]})
second = {"name": "t", "min_gb": 1, "continuous": True, "interval": 60}
second.update(max_running=3, disabled=True)
queue.set_work_spec(first)
queue.set_work_spec(second)

queue.add_work_units("s", [("taken", {"k": [True]}, {"priority": 9})])
queue.get_work("w1", {"available_gb": 1, "lease_time": 5000, "work_spec_names": ["s"]})
queue.add_work_units(
    "s", [("free", {"n": 1, "raw": b"\xff\x00", "text": b"\xc3\xa9".decode("utf-8")})]
)
queue.add_work_units("s", [("preferred", {}, {"priority": 5}), (b"\xff\xfe", {"odd": 1})])
queue.add_work_units("s", [("older", {}), ("newer", {}), ("failed", {"x": (1, 2)})])
for key in ("older", "newer"):
    queue.update_work_unit("s", key, {"status": FINISHED, "data": {"output": None}})
    time.sleep(0.01)
queue.update_work_unit("s", "failed", {"status": FAILED})
queue.snapshot()
