"""The three distributions move together."""

import importlib.metadata
import shutil
from pathlib import Path

import pytest

from tools import bump

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.name for path in (ROOT / "packages").iterdir())


@pytest.fixture
def tree(tmp_path):
    """A copy of the files that state the version."""
    for file, _ in bump.places(ROOT):
        copy = tmp_path / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return tmp_path


def stated(root):
    return {version for _, version in bump.versions(root)}


def test_versions_and_pins_agree():
    """Three _version.py, and the pins of the protocol in the client and in the server."""
    places = [place for place, _ in bump.versions(ROOT)]
    assert sum(place.endswith("_version.py") for place in places) == len(PACKAGES)
    assert "packages/coordinate-client/pyproject.toml" in places
    assert "packages/coordinate-server/pyproject.toml" in places
    assert len(stated(ROOT)) == 1


def test_bump_sets_every_place(tree, capsys):
    assert bump.main(["2.3.4rc1"], tree) == 0
    assert stated(tree) == {"2.3.4rc1"}
    assert capsys.readouterr().out == "2.3.4rc1\n"


def test_bump_without_a_version_names_the_places_that_disagree(tree, capsys):
    place = tree / "packages/coordinate-server/src/coordinate_server/_version.py"
    place.write_text('__version__ = "9.9.9"\n')
    assert bump.main([], tree) == 1
    assert "coordinate_server/_version.py', '9.9.9'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["1"], ["v1.0.0"], ["1.0.0", "2.0.0"], ["1.0.0 "]])
def test_bump_refuses_what_is_not_one_version(arguments, tree):
    before = bump.versions(tree)
    assert bump.main(arguments, tree) == 2
    assert bump.versions(tree) == before


def test_installed_metadata_says_the_version_of_the_source():
    """The build reads _version.py; if this fails here alone, the editable installation is old."""
    installed = {importlib.metadata.version(name) for name in PACKAGES}
    assert installed == stated(ROOT)
