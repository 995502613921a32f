"""The package as PyPI would have it: its files, and whether an application that installs it gets a token."""

from __future__ import annotations

import email
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from support import Stage

SOURCE = Path(__file__).parents[1]
VERSION = json.loads((SOURCE.parent / "node/package.json").read_text())["version"]
MODULES = {
    "__init__",
    "_async_client",
    "_async_connections",
    "_client",
    "_connecting",
    "_connection",
    "_errors",
    "_exchange",
    "_flights",
    "_pages",
    "_pending_requests",
    "_reply_reader",
    "_requests",
    "_results",
    "_thread_connections",
    "_users",
    "httpx",
}
LIBRARY = {"tokencached/py.typed", *(f"tokencached/{module}.py" for module in MODULES)}


def run(*command: object, **variables: str) -> str:
    """The output of a command, which has no network and none of this process's paths of modules."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment.update(variables, PIP_NO_INDEX="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    done = subprocess.run([str(each) for each in command], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the wheel and the source distribution, which are built from a copy of the sources."""
    copy = tmp_path_factory.mktemp("source") / "python"
    # The tree is not that of a repository, so nothing is excluded because Git ignores it.
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "dist"))
    directory = tmp_path_factory.mktemp("packages")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", directory], cwd=copy, check=True, text=True)
    return directory


@pytest.fixture(scope="module")
def application(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment in which the wheel is installed."""
    directory = tmp_path_factory.mktemp("application")
    venv.create(directory, with_pip=True)
    run(directory / "bin/python", "-m", "pip", "install", "--quiet", *packages.glob("*.whl"))
    return directory / "bin/python"


def test_the_wheel_has_the_library_its_types_and_its_license_and_nothing_else(packages: Path) -> None:
    (wheel,) = packages.glob("*.whl")
    assert wheel.name == f"tokencached-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        text = archive.read(f"tokencached-{VERSION}.dist-info/licenses/LICENSE")
    information = {
        f"tokencached-{VERSION}.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "licenses/LICENSE")
    }
    assert names == LIBRARY | information
    assert text == (SOURCE.parents[1] / "LICENSE").read_bytes()


def test_the_wheel_says_what_it_is_where_it_comes_from_and_what_it_needs(packages: Path) -> None:
    (wheel,) = packages.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(archive.read(f"tokencached-{VERSION}.dist-info/METADATA"))
    assert metadata["Name"] == "tokencached"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.9"
    assert metadata.get_all("Requires-Dist") == ["httpx>=0.24; extra == 'httpx'"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    assert len(metadata.get_all("Project-URL", [])) == 3
    for name in ("Summary", "Keywords", "Author"):
        assert metadata[name]
    assert metadata.get_payload() == (SOURCE / "README.md").read_text()


def test_the_source_distribution_has_what_the_wheel_is_built_from(packages: Path, tmp_path: Path) -> None:
    (source,) = packages.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = set(archive.getnames())
        archive.extractall(tmp_path, filter="data")
    others = {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    assert names == {f"tokencached-{VERSION}/{name}" for name in others | {f"src/{name}" for name in LIBRARY}}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=tmp_path / f"tokencached-{VERSION}",
        check=True,
    )
    (built,), (wheel,) = tmp_path.glob("*.whl"), packages.glob("*.whl")
    with zipfile.ZipFile(built) as first, zipfile.ZipFile(wheel) as second:
        assert sorted(first.namelist()) == sorted(second.namelist())


def test_an_application_that_installs_the_wheel_gets_a_token_by_the_lines_of_the_readme(application: Path) -> None:
    found = re.search(r"## Use\n\n```python\n(.*?)```", (SOURCE / "README.md").read_text(), re.DOTALL)
    assert found
    lines = f'{found[1]}\nprint(headers["authorization"])\n'
    with Stage() as stage:
        header = run(application, "-c", lines, TOKENCACHED_SOCKET=stage.socket)
    assert re.fullmatch(r"Bearer [\w.-]{100,}", header)


def test_a_type_checker_finds_the_types_of_the_installed_package(application: Path, tmp_path: Path) -> None:
    module = tmp_path / "application.py"
    module.write_text("from tokencached import TokenCache\n\nreveal_type(TokenCache().token(subject='a').expires_in)\n")
    mypy = ("-m", "mypy", "--strict", "--python-executable", application, "--cache-dir", tmp_path / "cache", module)
    assert 'Revealed type is "float"' in run(sys.executable, *mypy)
