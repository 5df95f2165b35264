"""``python -m coordinate_server`` is ``coordinated``."""

from runpy import run_module

# Nothing imports the daemon, so that nothing can come to depend on it: it is run.
run_module("coordinate_server.daemon", run_name="__main__")
