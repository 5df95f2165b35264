"""What names does Python's standard library use most? Counted by Coordinate's workers."""
