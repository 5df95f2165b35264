"""The commands of ``coordinated`` beside serving: what is done with data files."""

from coordinate_server.commands.backup import backup, restore
from coordinate_server.commands.check import check
from coordinate_server.commands.export import export, import_

__all__ = ["COMMANDS"]

COMMANDS = (backup, check, export, import_, restore)
