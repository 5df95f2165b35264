"""What a start says while it reads."""

from coordinate_server.model.changes import DATA, UNIT
from coordinate_server.progress import Progress


def test_a_start_says_each_second_how_many_units_it_has_read():
    """It says nothing of other tables, and all pages come through."""
    seconds = iter([0.0, 0.4, 1.1, 1.1, 1.5, 2.2, 2.2])
    lines: list[str] = []
    source = {UNIT: [[(b"%d" % n, b"")] * 1000 for n in range(4)], DATA: [[(b"a", b"b")]]}
    progress = Progress(source.__getitem__, lines.append, lambda: next(seconds))
    assert list(progress.pages(DATA)) == source[DATA]
    assert list(progress.pages(UNIT)) == source[UNIT]
    assert lines == [
        "reading data: 2,000 work units so far",
        "reading data: 4,000 work units so far",
    ]
