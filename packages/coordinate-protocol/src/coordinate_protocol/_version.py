"""The version of this distribution: written by tools/bump.py, read by the build."""

__version__ = "1.0.0a1"
