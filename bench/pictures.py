"""A bar chart of the queues' rates, as SVG that can be read on a light page and on a dark one."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from attrs import frozen

__all__ = ["Bar", "Group", "chart", "picture"]

_WIDTH: Final = 900
_LEFT: Final = 330
_RIGHT: Final = 90
_BAR: Final = 18
_STEP: Final = 24
_TITLE: Final = 40
_TOP: Final = 12

_STYLE: Final = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 14px }
  .ours { fill: #0969da }
  .other { fill: #8c959f }
  .memory { opacity: .55 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { fill: #4493f8 }
    .other { fill: #768390 }
  }
"""


@frozen
class Bar:
    """One bar.

    Arguments:
        label: what it is of.
        value: its length.
        kind: the names of its style.
    """

    label: str
    value: float
    kind: str


@frozen
class Group:
    """Bars of one scale.

    Arguments:
        title: what they measure.
        bars: from the top.
    """

    title: str
    bars: Sequence[Bar]


def picture(figures: Mapping[str, float]) -> str:
    """Draw the rates of the part about queues."""
    return chart([group for group in _groups(figures) if group.bars])


_TITLES: Final = {
    "one by one": ("two calls", "one message"),
    "in batches of 100": ("100, one message", "100, one request"),
    "adding, 1,000 in a message": ("adding",),
}


def _groups(figures: Mapping[str, float]) -> Iterator[Group]:
    for title, ways in _TITLES.items():
        bars = [
            Bar(_label(name), value, _kind(name))
            for name, value in figures.items()
            if name.startswith("queues/") and name.partition("), ")[2] in ways
        ]
        bars.sort(key=lambda bar: -bar.value)
        yield Group(f"Units per second, {title}", bars)


def _label(name: str) -> str:
    text = name.removeprefix("queues/").removesuffix(", adding")
    return text.replace("(nothing)", "in memory").replace("(each answer after a sync)", "durable")


def _kind(name: str) -> str:
    whose = "ours" if "Coordinate" in name else "other"
    return f"{whose} memory" if "(nothing)" in name else whose


def chart(groups: Sequence[Group]) -> str:
    """Draw groups of bars, one under the other, each with a scale of its own."""
    shapes, top = [], _TOP
    for group in groups:
        shapes += list(_drawn(group, top))
        top += _TITLE + _STEP * len(group.bars)
    height = top + _TOP
    about = escape(", ".join(group.title for group in groups))
    box = f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{about}"'
    begin = f'<svg xmlns="http://www.w3.org/2000/svg" {box}>'
    return "\n".join([begin, f"<style>{_STYLE}</style>", *shapes, "</svg>\n"])


def _drawn(group: Group, top: int) -> Iterator[str]:
    longest = max(bar.value for bar in group.bars) or 1
    yield f'<text class="title" x="{_TOP}" y="{top + _BAR}">{escape(group.title)}</text>'
    for number, bar in enumerate(group.bars):
        at = top + _TITLE - _TOP + _STEP * number
        width = (_WIDTH - _LEFT - _RIGHT) * bar.value / longest
        base = at + _BAR - 5
        yield f'<text x="{_LEFT - 8}" y="{base}" text-anchor="end">{escape(bar.label)}</text>'
        yield (
            f'<rect class="{bar.kind}" x="{_LEFT}" y="{at}" width="{width:.1f}"'
            f' height="{_BAR}" rx="2"/>'
        )
        yield f'<text x="{_LEFT + width + 8:.1f}" y="{base}">{bar.value:,.0f}</text>'
