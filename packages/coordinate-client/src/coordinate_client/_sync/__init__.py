# Generated from _async/__init__.py by tools/unasync.py: change that file, not this one.
"""The blocking half of the client."""
