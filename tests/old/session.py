"""What a program of 0.1.5 does with its TaskMaster, printed as JSON: Python 2.

The argument is the server's "host:port".
"""

import json
import sys

from coordinate import TaskMaster

master = TaskMaster({"address": sys.argv[1]})
first = {"name": "first", "min_gb": 1, "module": "job", "run_function": "copy"}
first.update(run_params=["p"], then="second")
second = {"name": "second", "min_gb": 1, "module": "job", "run_function": "copy"}
seen = {}

master.set_work_spec(second)
master.update_bundle(first, {"k" + str(number): {"n": number} for number in range(5)})
seen["specs"] = [name for name, _ in master.list_work_specs()[0]]
seen["spec is the same"] = master.get_work_spec("first") == first

unit = master.get_work("w1", available_gb=4, lease_time=10)
seen["first unit"] = [unit.work_spec_name, unit.key, dict(unit.data), unit.worker_id]
unit.run()
unit.finish()
seen["chained"] = master.get_work_units("second")

preempting = master.get_work("w1", available_gb=4, max_jobs=3)
seen["preempting"] = [each.key for each in preempting]
preempting[0].fail(ValueError("no"))
seen["failed"] = master.get_work_unit_status("second", "k0-out")["status"]
master.retry("second", "k0-out")

master.prioritize_work_units("first", ["k3"], priority=5)
seen["prioritised"] = master.get_work("w1", available_gb=4, work_spec_names=["first"]).key
seen["deleted"] = master.del_work_units("first", work_unit_keys=["k1", "nope"])
seen["status"] = master.status("first")
seen["finished"] = sorted(master.list_finished_work_units("first"))
sys.stdout.write(json.dumps(seen))
