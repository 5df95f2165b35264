#!/usr/bin/env python3
"""Set up what is needed in .venv, then run the demo or the tests.

python3 dev.py demo [ARGUMENT ...]   run examples/stdlib_names/run.py with these arguments
python3 dev.py test [ARGUMENT ...]   run nox with these; what follows "--" goes to pytest
python3 dev.py setup                 only set up, with every tool, for working on the sources

Needs Python 3.11 or newer with venv, and nothing else. The first run of each installs from the
package index; later runs start at once, until one of the files that say what is needed changes.
"""

import sys

# First of all, so that an older Python 3 gets as far as this and can say what is wrong.
if sys.version_info < (3, 11):  # noqa: UP036 - it is what an older one runs
    sys.exit(
        f"dev.py: needs Python 3.11 or newer, and {sys.executable} is"
        f" {sys.version_info[0]}.{sys.version_info[1]}: run it with another, such as python3.11"
    )

import hashlib
import importlib.util
import os
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"
DEMO = ROOT / "examples" / "stdlib_names"
DEMO_REQUIREMENTS = DEMO / "requirements.txt"

# Editable, so that a change of the sources needs no new installation.
PACKAGES = [
    "--editable=packages/coordinate-protocol",
    "--editable=packages/coordinate-client[cli,worker]",
    "--editable=packages/coordinate-server[fast]",
]


def run(*command: str | Path) -> int:
    """Run a command in the repository as if the environment were activated; its exit status."""
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    env = {
        **os.environ,
        "PATH": path,
        "VIRTUAL_ENV": str(VENV),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def environment_works() -> bool:
    """Whether .venv has a Python that starts, is new enough, and has pip."""
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    command = [str(PYTHON), "-c", probe]
    return (
        PYTHON.exists() and not subprocess.run(command, capture_output=True, check=False).returncode
    )


def make_environment() -> None:
    """Make .venv, unless it is there and works."""
    if environment_works():
        return
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            sys.exit(
                f"dev.py: this Python has no {module}: install it (Debian, Ubuntu:"
                f" apt install python3.{sys.version_info.minor}-venv) and run this again"
            )
    print(f"dev.py: making {VENV}", flush=True)
    if run(sys.executable, "-m", "venv", "--clear", VENV):
        sys.exit(f"dev.py: could not make {VENV}: the lines above say why")


def install(purpose: str, *arguments: str) -> None:
    """Install what a purpose needs, unless that was done since what says so last changed."""
    stamp = VENV / f".installed-for-{purpose}"
    wanted = fingerprint(*arguments)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"dev.py: installing what {purpose} needs", flush=True)
    if run(PYTHON, "-m", "pip", "install", "--quiet", *arguments):
        sys.exit(f"dev.py: could not install what {purpose} needs: pip's lines above say why")
    stamp.write_text(wanted)


def fingerprint(*arguments: str) -> str:
    """A digest of all that decides what an installation brings."""
    files = [
        *sorted(ROOT.glob("packages/*/pyproject.toml")),
        *DEMO.glob("requirements.txt"),
    ]
    digest = hashlib.sha256("\n".join(arguments).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def groups(*names: str) -> list[str]:
    """The requirements of some of pyproject.toml's groups; of all that go together if none."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        table = tomllib.load(file)["dependency-groups"]
    # What makes environments for Python 2.7 wants an old platformdirs, the command line a new one.
    chosen = names or tuple(name for name in table if name != "old")
    return [requirement for name in chosen for requirement in table[name]]


def demo(arguments: list[str]) -> int:
    """Run the main job: a server, workers, and what the standard library uses most."""
    extra = ["--requirement", str(DEMO_REQUIREMENTS)] if DEMO_REQUIREMENTS.exists() else []
    install("demo", *PACKAGES, *extra)
    return run(PYTHON, DEMO / "run.py", *arguments)


def test(arguments: list[str]) -> int:
    """Run nox: lint, types, imports, wheels, tests, each in an environment of its own in .nox."""
    install("test", *groups("nox"))
    return run(PYTHON, "-m", "nox", *arguments)


def setup(_arguments: list[str]) -> int:
    """Install the packages and every tool into .venv."""
    install("setup", *PACKAGES, *groups())
    print(f"dev.py: ready: {PYTHON}")
    return 0


COMMANDS = {"demo": demo, "test": test, "setup": setup}


def main(arguments: list[str]) -> int:
    """Run the command that the arguments name; the exit status."""
    if arguments and arguments[0] in {"-h", "--help"}:
        print(__doc__)
        return 0
    if not arguments or arguments[0] not in COMMANDS:
        print(
            f"dev.py: say which: {', '.join(COMMANDS)} (python3 dev.py --help tells more)",
            file=sys.stderr,
        )
        return 2
    make_environment()
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
