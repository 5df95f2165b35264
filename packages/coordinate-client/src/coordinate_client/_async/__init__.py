"""The half of the client that is written by hand; tools/unasync.py makes the blocking one of it."""
