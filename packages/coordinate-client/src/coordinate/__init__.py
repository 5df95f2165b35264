"""The names of Coordinate 0.1.5, for programs that were written for it."""

from coordinate_client import CoordinateException, ProgrammerError, TaskMaster

__all__ = ["CoordinateException", "ProgrammerError", "TaskMaster", "config_name", "sub_modules"]

# What yakonfig asks of a configurable module. The server's own settings are the server's to check.
config_name = "coordinate"
sub_modules: tuple[object, ...] = ()
