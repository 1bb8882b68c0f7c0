"""`make new-plugin`: what it makes is green, alone in an empty environment, and the example has the same shape."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bidlock.cli.scaffolding import fill_in, new_plugin
from bidlock.errors import ConfigurationError

pytestmark = pytest.mark.slow

TOOLS = Path(sys.executable).parent
PACKAGE = Path("src/example_backend")


@pytest.fixture(scope="module")
def plugin(root, tmp_path_factory) -> Path:
    into = tmp_path_factory.mktemp("plugin")
    subprocess.run(["make", "new-plugin", "name=tapes", f"into={into}"], cwd=root, check=True)
    return into / "bidlock-tapes"


@pytest.fixture(scope="module")
def environment(plugin, wheels, build_wheel, new_environment):
    environment = new_environment("author")
    environment.install(wheels["bidlock"], build_wheel(plugin))
    environment.lend_all()
    return environment


def test_the_wheel_alone_makes_the_same(plugin, environment, tmp_path):
    """Outside of the repository, as after `pip install "bidlock[scaffold]"`."""
    environment.say(
        f"import sys; sys.argv = ['bidlock', 'new-plugin', 'tapes', '--into', {str(tmp_path)!r}]; import bidlock.cli; bidlock.cli.main()"
    )

    written = {path.relative_to(plugin): path.read_bytes() for path in plugin.rglob("*.py")}
    assert {path: (tmp_path / plugin.name / path).read_bytes() for path in written} == written


def test_a_name_that_cannot_be_a_module_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="lower-case letters"):
        fill_in(tmp_path / "it", {"name": "Post gres"})


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "bidlock-tapes").mkdir()
    with pytest.raises(ConfigurationError, match="exists"):
        new_plugin("tapes", tmp_path)


def test_it_says_where_a_human_goes_on(plugin):
    marked = {path.name for path in plugin.rglob("*.py") if "FILL" in path.read_text()}

    assert marked == {"store.py", "harness.py"}


@pytest.mark.parametrize("command", [("ruff", "format", "--check", "."), ("ruff", "check", "--no-cache", ".")], ids=" ".join)
def test_it_is_clean(command, plugin):
    done = subprocess.run([TOOLS / command[0], *command[1:]], cwd=plugin, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_its_types_hold(plugin, environment):
    assert "Success" in environment.run("-m", "mypy", "--cache-dir", "/dev/null", cwd=plugin)


def test_its_tests_and_the_kit_among_them_pass(plugin, environment):
    assert " passed" in environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=plugin)


def test_the_kit_certifies_it(plugin, environment):
    environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "--bidlock-backend=tapes", cwd=plugin)

    report = json.loads((plugin / "conformance.json").read_text())
    assert (report["verdict"], report["backend"], report["distribution"]) == ("passed", "tapes", "bidlock-tapes")


def test_the_example_was_made_by_the_template_and_keeps_its_shape(root, tmp_path):
    """Only what the template marks as places to fill differs: the store and its harness."""
    fill_in(tmp_path, {"name": "example", "scheme": "files", "package": "example_backend", "distribution": "bidlock-example-backend"})

    example = root / "examples" / "custom-backend"
    made = [path.relative_to(tmp_path) for path in (tmp_path / PACKAGE).iterdir()]
    assert not [path for path in made if not (example / path).is_file()]
    different = {path.name for path in made if (tmp_path / path).read_text() != (example / path).read_text()}
    assert different == {"store.py", "harness.py"}
