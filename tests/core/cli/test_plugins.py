"""Third-party plugins as pip leaves them: a module and a `.dist-info` folder on the path of a real process."""

import re

import pytest

pytestmark = pytest.mark.slow

GOOD = """
from bidlock.backend import Capabilities
from bidlock.hookspecs import BackendSpec, hookimpl
from bidlock.memory import MemoryBackend

@hookimpl
def bidlock_backends():
    promises = Capabilities(scope="process", time_authority="client", durability="volatile")
    return [BackendSpec("{name}", ("{scheme}",), MemoryBackend, promises, port={port})]
"""


@pytest.fixture
def installed(tmp_path, process):
    """Install a plugin (name, source, distribution) and see what `bidlock plugins --json` says, with everything else on the path."""

    def install(name, source, distribution, group="bidlock.backends.v1", value=None):
        module = distribution.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-0.3.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.3\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value or module}\n")

    install.path = str(tmp_path)
    install.run = lambda *arguments, **environment: process(*arguments, PYTHONPATH=str(tmp_path), **environment)
    return install


def report(ran, distribution):
    return next(plugin for plugin in ran.json["plugins"] if plugin["distribution"] == distribution)


def test_the_memory_backend_is_listed_with_what_it_promises(process):
    ran = process("plugins", "--json")

    assert report(ran, "bidlock") == {
        "name": "memory",
        "distribution": "bidlock",
        "version": "0.1.0",
        "status": "loaded",
        "reason": "",
        "backends": [
            {
                "name": "memory",
                "schemes": ["memory"],
                "port": 1,
                "capabilities": {
                    "scope": "process",
                    "time_authority": "client",
                    "durability": "volatile",
                    "wait": "notify",
                    "single_mode": "only",
                    "migratable": False,
                },
            }
        ],
    }


def test_a_strangers_plugin_is_listed_beside_ours(installed):
    installed("postgres", GOOD.format(name="postgres", scheme="postgresql", port=1), "bidlock-postgres")

    found = report(installed.run("plugins", "--json"), "bidlock-postgres")

    assert (found["status"], found["version"]) == ("loaded", "0.3")
    assert found["backends"][0]["schemes"] == ["postgresql"]


@pytest.mark.parametrize(
    ("source", "status", "says"),
    [
        ("import no_such_library", "broken", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("def broken(:", "broken", "SyntaxError"),
        ("import sys; sys.exit(3)", "broken", "SystemExit: 3"),
        ("while True: __import__('time').sleep(60)", "broken", "its import did not end within 3 s"),
        (GOOD.format(name="old", scheme="old", port=7), "refused", "written for port 7, this is port 1"),
        (
            GOOD.format(name="thief", scheme="memory", port=1),
            "refused",
            "wants the scheme memory://, which backend 'memory' serves already",
        ),
        (
            GOOD.replace("return [", "raise OSError('no licence')\n    return [").format(name="x", scheme="x", port=1),
            "broken",
            "no licence",
        ),
    ],
    ids=["missing import", "syntax", "exits", "hangs", "wrong port", "taken scheme", "raising hook"],
)
def test_a_bad_plugin_is_named_while_everything_else_works(installed, source, status, says):
    installed("zzz", source, "bidlock-zzz")

    ran = installed.run("plugins", "--json", BIDLOCK_PLUGIN_TIMEOUT="3")

    assert (ran.code, ran.err) == (0, "")
    culprit = report(ran, "bidlock-zzz")
    assert (culprit["status"], culprit["version"]) == (status, "0.3")
    assert says in culprit["reason"]
    assert report(ran, "bidlock")["status"] == "loaded"
    worked = installed.run("hold", "--url", "memory://", "upwork:1", "--", "echo", "in", BIDLOCK_PLUGIN_TIMEOUT="3")
    assert (worked.code, worked.out) == (0, "in\n")


def test_of_two_plugins_with_one_name_the_second_is_refused(installed):
    installed("zzz", GOOD.format(name="one", scheme="one", port=1), "bidlock-one")
    installed("zzz", GOOD.format(name="two", scheme="two", port=1), "bidlock-two")

    ran = installed.run("plugins", "--json")

    assert report(ran, "bidlock-one")["status"] == "loaded"
    assert report(ran, "bidlock-two")["status"] == "refused"
    assert "distribution bidlock-one brings a plugin of the same name" in report(ran, "bidlock-two")["reason"]


def test_a_plugin_that_is_not_on_the_allow_list_is_never_imported(installed):
    installed("zzz", "raise SystemExit('imported')", "bidlock-zzz")

    ran = installed.run("plugins", "--json", BIDLOCK_PLUGINS="memory")

    assert report(ran, "bidlock-zzz")["status"] == "blocked"
    assert report(ran, "bidlock")["status"] == "loaded"


def test_the_plain_list_names_the_culprit_and_the_reason(installed):
    installed("zzz", "import no_such_library", "bidlock-zzz")

    ran = installed.run("plugins")

    assert "zzz (bidlock-zzz 0.3) is broken: ModuleNotFoundError: No module named 'no_such_library'" in ran.out
    assert "\x1b" not in ran.out


COMMAND = """
import typer
from typing import Annotated

def command(name: str, loud: Annotated[bool, typer.Option("--loud")] = False) -> None:
    '''Greet.'''
    print(("HELLO " if loud else "hello ") + name)
    raise typer.Exit(6)
"""


def test_a_command_of_another_distribution_runs_with_its_own_arguments(installed):
    installed("greet", COMMAND, "bidlock-greet", group="bidlock.commands.v1", value="bidlock_greet:command")

    ran = installed.run("greet", "ann", "--loud")

    assert (ran.code, ran.out) == (6, "HELLO ann\n")
    assert "Greet." in installed.run("greet", "--help").out


def test_another_distributions_command_is_imported_only_when_it_is_used(installed):
    installed("greet", "raise RuntimeError('imported')", "bidlock-greet", group="bidlock.commands.v1", value="bidlock_greet:command")

    assert re.search(r"greet +From bidlock-greet 0\.3\.", installed.run("--help").out)
    assert {"name": "greet", "distribution": "bidlock-greet", "version": "0.3"} in installed.run("plugins", "--json").json["commands"]

    ran = installed.run("greet", "ann")

    assert ran.code == 5
    assert ran.err == (
        "bidlock: the command 'greet' of bidlock-greet 0.3 is broken (RuntimeError: imported); update or uninstall bidlock-greet\n"
    )


def test_another_distribution_cannot_replace_a_built_in_command(installed):
    installed("version", "raise RuntimeError('imported')", "bidlock-greet", group="bidlock.commands.v1", value="bidlock_greet:command")

    assert installed.run("version").out.startswith("bidlock ")


@pytest.mark.parametrize(("name", "package"), [("demo", "bidlock-demo"), ("bench", "bidlock-bench")])
def test_an_absent_command_of_ours_says_what_to_install(cli, monkeypatch, name, package):
    monkeypatch.setattr("bidlock.cli.external.found", dict)

    ran = cli(name, "--quick")

    assert (ran.code, ran.err) == (5, f"bidlock: {name!r} comes with another package; install it with: pip install {package}\n")
