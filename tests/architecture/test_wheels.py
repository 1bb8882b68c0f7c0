"""What a user gets: wheels, installed outside the workspace, without its source tree.

Nothing is fetched: the wheels are built by the installed build backend, and third-party packages are lent by the
environment that runs the tests. Our own packages come from the wheels alone.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def core_alone(wheels, new_environment):
    """`pip install bidlock` and nothing else."""
    environment = new_environment("core")
    environment.install(wheels["bidlock"])
    environment.lend("pluggy", "structlog", "typing_extensions.py")
    return environment


def test_every_wheel_imports_outside_the_workspace(member, everything):
    for package in member.packages:
        found = everything.say(f"import {package.name}; print({package.name}.__file__)")

        assert Path(found).is_relative_to(everything.folder)
        assert (Path(found).parent / "py.typed").is_file()


def test_every_file_of_a_package_is_in_its_wheel(member, wheels, tracked):
    shipped = set(zipfile.ZipFile(wheels[member.project["name"]]).namelist())

    ours = {str(path.relative_to(member.folder / "src")) for path in tracked if path.is_relative_to(member.folder / "src")}
    assert not ours - shipped


def test_core_alone_works_without_any_client(core_alone):
    said = core_alone.say(
        "import bidlock, sys; print([m for m in ('redis', 'kopf', 'kubernetes', 'sqlite3', 'typer') if m in sys.modules])"
    )

    assert said == "[]"


@pytest.mark.parametrize(("url", "package"), [("redis://h", "bidlock[redis]"), ("sqlite:///x.db", "bidlock[sqlite]")])
def test_core_alone_says_what_to_install_for_a_url(url, package, core_alone):
    said = core_alone.say(
        f"import bidlock\ntry: bidlock.connect({url!r})\nexcept bidlock.UnknownBackend as error: print(error)",
    )

    assert f'pip install "{package}"' in said


@pytest.mark.parametrize(("backend", "variant"), [("memory", "memory"), ("sqlite", "sqlite-file"), ("redis", "valkey-9.1")])
def test_the_installed_kit_judges_an_installed_backend_in_an_empty_folder(backend, variant, everything, tmp_path):
    asked = (f"--bidlock-backend={backend}", f"--bidlock-variant={variant}", "-k", "test_one_posting_has_one_holder")

    judged = everything.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *asked, cwd=tmp_path)

    assert "1 passed" in judged
    assert [path.name for path in tmp_path.iterdir()] == ["conformance.json"]
    report = json.loads((tmp_path / "conformance.json").read_text())
    assert (report["backend"], report["variants"][variant]["families"]["leases"]["passed"]) == (backend, 1)


def test_the_installed_plugins_are_found(everything):
    said = everything.say(
        "from bidlock import plugins\nfor r in plugins.load({}).reports: print(r.name, r.distribution, r.status, r.reason)",
    )

    assert {line.split()[0] for line in said.splitlines() if line.split()[2] == "loaded"} >= {"memory", "redis", "sqlite"}, said
