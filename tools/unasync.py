"""Make the blocking half of the client from the asyncio one, by replacing words.

python tools/unasync.py            write coordinate_client/_sync
python tools/unasync.py --check    an error if it is not what coordinate_client/_async makes it
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "packages" / "coordinate-client" / "src" / "coordinate_client"
HEADER = "# Generated from _async/{name} by tools/unasync.py: change that file, not this one.\n"
INIT = '"""The blocking half of the client."""\n'
WORDS = [
    (re.compile(r"\basync (def|with|for)\b"), r"\1"),
    (re.compile(r"\bawait (?=[\w(])"), ""),
    (re.compile(r"\b__a(enter|exit|iter|next)__"), r"__\1__"),
    (re.compile(r"\bAsync(?=[A-Z])"), ""),
    (re.compile(r"\b(background|transport)_async\b"), r"\1_sync"),
    (re.compile(r"\b_async\b"), "_sync"),
    (re.compile(r"  # noqa: ASYNC\d+ - .*"), ""),
]


def blocking(source: str) -> str:
    """The source with every word of asyncio replaced by its blocking one."""
    for pattern, replacement in WORDS:
        source = pattern.sub(replacement, source)
    return source


def formatted(source: str, file: Path) -> str:
    """The source as ruff orders its imports and lays its lines out."""
    name = f"--stdin-filename={file}"
    for command in (["check", "--select=I", "--fix", "--quiet", name], ["format", "--quiet", name]):
        ruff = [sys.executable, "-m", "ruff", *command, "-"]
        source = subprocess.run(
            ruff, input=source, check=True, capture_output=True, text=True, cwd=ROOT
        ).stdout
    return source


def generated(client: Path = CLIENT) -> dict[Path, str]:
    """What each file of the blocking half should hold."""
    files = {}
    for source in sorted((client / "_async").glob("*.py")):
        target = client / "_sync" / source.name
        text = INIT if source.name == "__init__.py" else blocking(source.read_text())
        files[target] = formatted(HEADER.format(name=source.name) + text, target)
    return files


def main(arguments: list[str]) -> int:
    """Write the files, or say which are not what they should be."""
    if arguments not in ([], ["--check"]):
        print(f"unasync: takes --check or nothing, not {arguments!r}", file=sys.stderr)
        return 2
    files = generated()
    present = set((CLIENT / "_sync").glob("*.py"))
    wrong = [file for file in files if file not in present or file.read_text() != files[file]]
    wrong += sorted(present - files.keys())
    if arguments:
        for file in wrong:
            print(
                f"unasync: {file.relative_to(ROOT)} is stale: run tools/unasync.py", file=sys.stderr
            )
        return 1 if wrong else 0
    for file in wrong:
        if file in files:
            file.parent.mkdir(exist_ok=True)
            file.write_text(files[file])
        else:
            file.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
