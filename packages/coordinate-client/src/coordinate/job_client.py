"""Where 0.1.5 had its client."""

from coordinate_client import TaskMaster, WorkUnit

__all__ = ["TaskMaster", "WorkUnit"]
