"""Show the version of the three distributions, or set all of them at once.

python tools/bump.py            print the version; an error if the places disagree
python tools/bump.py VERSION    write it into each _version.py and into the pins between siblings
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# PEP 440 as far as it is used here: 1.2.3, 1.2.3a1, 1.2.3rc1, 1.2.3.post1, 1.2.3.dev1.
VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?")
# What stands before the version, and the version.
PLACES = {
    "packages/*/src/coordinate_*/_version.py": re.compile(
        r'^(__version__ = ")([^"]+)', re.MULTILINE
    ),
    "packages/*/pyproject.toml": re.compile(r'("coordinate-protocol(?:\[\w+\])?==)([^"]+)'),
}


def places(root: Path) -> list[tuple[Path, re.Pattern[str]]]:
    """Each file that may state the version, with the pattern that finds it there."""
    return [(file, pattern) for glob, pattern in PLACES.items() for file in sorted(root.glob(glob))]


def versions(root: Path) -> list[tuple[str, str]]:
    """Each statement of the version: the file's path from the root, and what it states."""
    return [
        (str(file.relative_to(root)), version)
        for file, pattern in places(root)
        for _, version in pattern.findall(file.read_text())
    ]


def write(root: Path, version: str) -> None:
    """Make every place state this version."""
    for file, pattern in places(root):
        file.write_text(pattern.sub(rf"\g<1>{version}", file.read_text()))


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Do what the arguments say; the exit status."""
    if len(arguments) > 1 or not all(map(VERSION.fullmatch, arguments)):
        print(
            f"bump: takes one version such as 1.2.3 or 1.2.3rc1, not {arguments!r}", file=sys.stderr
        )
        return 2
    if arguments:
        write(root, arguments[0])
    stated = versions(root)
    if len({version for _, version in stated}) != 1:
        print(f"bump: the places disagree: {stated}", file=sys.stderr)
        return 1
    print(stated[0][1])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
