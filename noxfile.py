"""What is checked, and how: `nox` runs the default sessions, `nox -l` lists all of them.

Each session has an environment of its own in .nox, which stays for the next run. `dev.py test` is
nox with its set-up done.
"""

import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
# The tests come last: what they say is then what a reader sees last.
nox.options.sessions = [
    "lint",
    "types",
    "imports",
    "wheels",
    "slow",
    "crash",
    "old",
    "guard",
    "tests",
]

ROOT = Path(__file__).resolve().parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
# Tests that have no session of their own.
ORDINARY = "not slow and not crash"
PACKAGES = ["coordinate-protocol", "coordinate-client", "coordinate-server"]
# setproctitle and psutil come with [worker], click and rich with [cli], uvloop with [fast].
EDITABLE = [
    "--editable=packages/coordinate-protocol",
    "--editable=packages/coordinate-client[cli,worker]",
    "--editable=packages/coordinate-server[fast]",
]
# pip's own word about newer pips is nothing that a check should say.
os.environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")


def group(*names: str) -> list[str]:
    """The requirements of some of pyproject.toml's dependency groups."""
    return list(nox.project.dependency_groups(PROJECT, *names))


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff with every rule, its formatter, and whether the generated code is up to date."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("python", "tools/unasync.py", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy: strict for the packages and scripts, relaxed for the signatures of tests."""
    session.install(*group("types", "test", "nox"), *EDITABLE)
    session.run("mypy")
    # Scripts that import their neighbours, as Python lets them when one of them is run.
    session.run("mypy", "bench", env={"MYPYPATH": "bench"})


@nox.session
def imports(session: nox.Session) -> None:
    """Import-linter: which module may import which. It reads sources: nothing is installed."""
    session.install(*group("imports"))
    sources = os.pathsep.join(str(ROOT / "packages" / name / "src") for name in PACKAGES)
    session.run("lint-imports", "--no-cache", env={"PYTHONPATH": sources})


@nox.session
def tests(session: nox.Session) -> None:
    """Pytest with coverage, but not slow and crash. Arguments after -- replace all of that."""
    session.install(*group("test"), *EDITABLE)
    if session.posargs:
        run_pytest(session, *session.posargs)
    else:
        run_pytest(session, "-m", ORDINARY, "--cov", "--cov-report=term")


@nox.session
def slow(session: nox.Session) -> None:
    """Run the tests marked slow: large simulations, long state machines."""
    session.install(*group("test"), *EDITABLE)
    # No more than an hour for one of them. Status 5 is pytest's word for "there are none".
    run_pytest(session, "-m", "slow", "--timeout=3600", *session.posargs, success_codes=[0, 5])


@nox.session
def crash(session: nox.Session) -> None:
    """Kill servers, fail and damage their files, cut the power: a sample, or all of it.

    COORDINATE_TEST_CRASH=full is all: thousands of points, some 20 minutes.
    """
    install_debian(session, "strace")
    session.install(*group("test"), *EDITABLE)
    run_pytest(session, "-m", "crash", "tests/crash", *session.posargs)


@nox.session
def old(session: nox.Session) -> None:
    """Run the published 0.1.5 against the server, where there is a Python 2.7 for it."""
    python2 = python_2()
    if python2 is None:
        session.skip("there is no python2.7 here: 0.1.5's programs were not run")
    session.install(*group("test", "old"), *EDITABLE)
    home = Path(session.create_tmp(), "old").resolve()
    if not has_old_programs(home):
        install_old_programs(session, python2, home)
    if not has_old_programs(home):
        session.skip("0.1.5 could not be installed: its programs were not run")
    env = {"OLD_COORDINATE_BIN": str(home / "bin")}
    session.run("pytest", seed_option(), "tests/old", *session.posargs, env=env)


@nox.session(python=False, default=False)
def py312(session: nox.Session) -> None:
    """Run the tests on Python 3.12, where there is one."""
    tests_on("3.12", session)


@nox.session(python=False, default=False)
def py313(session: nox.Session) -> None:
    """Run the tests on Python 3.13, where there is one."""
    tests_on("3.13", session)


@nox.session
def wheels(session: nox.Session) -> None:
    """Build sdists and wheels, and use what was built outside of the tree."""
    session.install(*group("build"))
    with tempfile.TemporaryDirectory(prefix="coordinate-wheels-") as away:
        dist = Path(away, "dist")
        build(session, dist)
        full = new_environment(session, Path(away, "full"))
        wheel = {name: next(dist.glob(f"{name.replace('-', '_')}-*.whl")) for name in PACKAGES}
        pip_into(
            session,
            full,
            wheel["coordinate-protocol"],
            f"{wheel['coordinate-client']}[cli]",
            f"{wheel['coordinate-server']}[fast]",
        )
        lone = new_environment(session, Path(away, "lone"))
        pip_into(session, lone, f"--find-links={dist}", "coordinate-client", "--pre")
        outside = Path(away, "outside")
        shutil.copytree(ROOT / "examples", outside / "examples")
        shutil.copy(ROOT / "tools" / "lone_client.py", outside)
        session.chdir(outside)
        path = os.pathsep.join([str(full.parent), os.environ["PATH"]])
        session.run(lone, "lone_client.py", full.with_name("coordinated"), external=True)
        session.run(
            full,
            "examples/stdlib_names/run.py",
            "--limit=60",
            "--workers=2",
            "--no-picture",
            env={"PATH": path},
            external=True,
        )


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure everything beside other queues, and put it into docs/performance.md.

    Arguments after -- are those of bench/suite.py, or another script of bench/ and its arguments;
    then the page stays as it is.
    """
    session.install(*EDITABLE)
    words = list(session.posargs)
    script = words.pop(0) if words and words[0].endswith(".py") else "suite.py"
    if script == "suite.py":
        install_debian(session, "beanstalkd", "redis-server")
    if not session.posargs:
        words = ["--picture=docs/performance.svg", "--page=docs/performance.md"]
    session.run("python", f"bench/{script}", *words)


@nox.session
def guard(session: nox.Session) -> None:
    """Count what calls cost in instructions, and compare; --update keeps what they cost now."""
    session.install(*EDITABLE)
    session.run("python", "bench/guard.py", *session.posargs)


@nox.session(default=False)
def workers_bench(session: nox.Session) -> None:
    """Measure workers beside those of other queues; arguments after -- are bench/workers.py's."""
    session.install(*EDITABLE, *group("peers"))
    install_debian(session, "redis-server")
    session.run("python", "bench/workers.py", *session.posargs)


@nox.session(default=False)
def changelog(session: nox.Session) -> None:
    """Show what the next release's section of CHANGELOG.md would say."""
    session.install(*group("changelog"))
    session.run("towncrier", "build", "--draft", "--version", "next", *session.posargs)


@nox.session(default=False)
def release(session: nox.Session) -> None:
    """Build what is to be published into dist/, and check its descriptions."""
    session.install(*group("build"), "twine")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    build(session, ROOT / "dist")
    session.run("twine", "check", "--strict", *map(str, sorted((ROOT / "dist").iterdir())))


def install_debian(session: nox.Session, *programs: str) -> None:
    """Install Debian's packages of servers that are missing and can be had; else say so."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        # Their own services are not to run: the benchmark starts one for each measurement.
        env = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for words in (["update"], ["install", "-y", *missing]):
            apt = ["apt-get", "-q", *words]
            session.run(*apt, env=env, external=True, success_codes=[0, 100])
    for program in missing:
        if not shutil.which(program):
            session.warn(f"there is no {program} here: what needs one is not measured")


def run_pytest(
    session: nox.Session, *arguments: str, success_codes: list[int] | None = None
) -> None:
    """Run pytest under a seed that the session's output shows."""
    session.run("pytest", seed_option(), *arguments, success_codes=success_codes or [0])


def tests_on(version: str, session: nox.Session) -> None:
    """Run the tests on another Python, in an environment that it makes itself."""
    python = f"python{version}"
    # Asked by running it: a version manager can leave a stub for a Python that is not to be had.
    if not runs(python):
        session.skip(f"there is no {python} here: nothing was tested on it")
    home = ROOT / ".nox" / session.name
    inside = str(home / "bin" / "python")
    if not runs(inside):
        session.run(python, "-m", "venv", "--clear", str(home), external=True)
    session.run(inside, "-m", "pip", "install", "-q", *group("test"), *EDITABLE, external=True)
    arguments = session.posargs or ["-m", ORDINARY]
    session.run(inside, "-m", "pytest", seed_option(), *arguments, external=True)


def seed_option() -> str:
    """Hypothesis's option for this run's seed: another one each time, or COORDINATE_TEST_SEED."""
    seed = os.environ.get("COORDINATE_TEST_SEED") or random.SystemRandom().randrange(2**32)
    return f"--hypothesis-seed={seed}"


def install_old_programs(session: nox.Session, python2: str, home: Path) -> None:
    """Install 0.1.5 and what it imports; pip says what could not be had or built."""
    session.run("virtualenv", "--quiet", "--clear", f"--python={python2}", str(home))
    # What it asks for and more besides would have to be compiled; this is what it imports.
    needed = ["cbor", "pyyaml<6", "yakonfig==0.7.7", "psutil<7", "setproctitle<1.2"]
    needed += ["python-daemon<2.4", "lockfile", "dblogger==0.4.14", "psycopg2-binary<2.9"]
    pip = [str(home / "bin" / "pip"), "install", "-q"]
    session.run(*pip, *needed, external=True, success_codes=[0, 1])
    session.run(*pip, "--no-deps", "coordinate==0.1.5", external=True, success_codes=[0, 1])


def has_old_programs(home: Path) -> bool:
    """Whether 0.1.5 is there and can be imported."""
    python = home / "bin" / "python"
    command = [str(python), "-c", "import coordinate"]
    return (
        python.exists() and not subprocess.run(command, capture_output=True, check=False).returncode
    )


def python_2() -> str | None:
    """A Python 2.7 that starts: on PATH, or where a version manager keeps it."""
    managed = sorted(Path(os.environ.get("PYENV_ROOT", "/")).glob("versions/2.7.*/bin/python2.7"))
    return next((found for found in ["python2.7", *map(str, managed)] if runs(found)), None)


def runs(python: str) -> bool:
    """Whether there is such a Python, and it starts."""
    if not shutil.which(python):
        return False
    return not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode


def build(session: nox.Session, dist: Path) -> None:
    """Build each sdist on its own, and each wheel from its sdist alone."""
    for name in PACKAGES:
        session.run("python", "-m", "build", "--outdir", str(dist), f"packages/{name}", silent=True)


def new_environment(session: nox.Session, home: Path) -> Path:
    """An environment with nothing in it, not even pip; its Python."""
    session.run("python", "-m", "venv", "--without-pip", str(home))
    return home / "bin" / "python"


def pip_into(session: nox.Session, python: Path, *arguments: str | Path) -> None:
    """Install into an environment that has no pip, with the session's."""
    words = [str(argument) for argument in arguments]
    session.run("python", "-m", "pip", "--python", str(python), "install", "-q", *words)
