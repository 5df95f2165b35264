"""A data file as lines of JSON, which people and other programs read, and back."""

from coordinate_server.exports.reading import read_export
from coordinate_server.exports.writing import export_lines

__all__ = ["export_lines", "read_export"]
