"""Other queues of tasks, and the same task for each: what `workers.py` measures."""
