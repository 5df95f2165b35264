"""What each distribution declares and carries."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.name for path in (ROOT / "packages").iterdir())
# Distributions whose top-level module has another name.
MODULES = {"attrs": {"attr", "attrs"}, "pyyaml": {"yaml"}}


def project(package):
    with (ROOT / "packages" / package / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def import_packages(package):
    return sorted(path for path in (ROOT / "packages" / package / "src").iterdir() if path.is_dir())


def name_of(requirement):
    return re.split(r"[^\w-]", requirement)[0].lower()


def declared(package):
    """Top-level modules that the distribution's dependencies and extras bring."""
    table = project(package)
    extras = table.get("optional-dependencies", {}).values()
    requirements = [*table["dependencies"], *(one for extra in extras for one in extra)]
    names = map(name_of, requirements)
    return set().union(*(MODULES.get(name, {name.replace("-", "_")}) for name in names))


def imported(file):
    """Top-level modules that a source file imports, wherever in it that happens."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_import_is_of_something_declared(package):
    """Import-linter says what is forbidden; this, that nothing else is used unawares.

    What the protocol needs comes with it, at the very version that its sibling is pinned to.
    """
    own = {path.name for path in import_packages(package)}
    known = own | declared(package) | declared("coordinate-protocol") | sys.stdlib_module_names
    sources = (ROOT / "packages" / package / "src").rglob("*.py")
    strange = {(file.name, name) for file in sources for name in imported(file)}
    assert not {(file, name) for file, name in strange if name not in known}


def test_protocol_needs_attrs_and_cbor2_and_nothing_else():
    names = {name_of(requirement) for requirement in project("coordinate-protocol")["dependencies"]}
    assert names == {"attrs", "cbor2"}


def test_client_needs_the_protocol_and_nothing_else():
    names = {name_of(requirement) for requirement in project("coordinate-client")["dependencies"]}
    assert names == {"coordinate-protocol"}


@pytest.mark.parametrize("package", PACKAGES)
def test_import_packages_say_that_they_are_typed(package):
    for path in import_packages(package):
        assert (path / "py.typed").exists(), path


@pytest.mark.parametrize("package", PACKAGES)
def test_licence_in_a_distribution_is_the_repository_s(package):
    """A distribution carries only files below its own directory, so there are copies."""
    assert (ROOT / "packages" / package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_changelog_fragments_start_with_a_package_and_have_a_known_type():
    with (ROOT / "pyproject.toml").open("rb") as file:
        types = [table["directory"] for table in tomllib.load(file)["tool"]["towncrier"]["type"]]
    name = re.compile(rf"({'|'.join(PACKAGES)})-[\w-]+\.({'|'.join(types)})\.md")
    fragments = {path.name for path in (ROOT / "changes").iterdir()} - {"template.md.jinja"}
    assert not {fragment for fragment in fragments if not name.fullmatch(fragment)}
