"""docs/reference/cli.md says what the code says."""

import re
from pathlib import Path

import pytest
import typer

import bidlock
from bidlock.cli import exit_codes
from bidlock.cli.app import build
from bidlock.cli.exit_codes import MEANINGS

ROOT = next(parent for parent in Path(bidlock.__file__).parents if (parent / "docs").exists())
COMMANDS = typer.main.get_command(build()).commands


@pytest.fixture
def page():
    return (ROOT / "docs/reference/cli.md").read_text()


def section(page, heading):
    return re.split(r"^#", page.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(text):
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ") and "---" not in line][1:]


def test_every_command_is_documented(page):
    documented = {cell.strip("`").split()[0] for cell in first_cells(section(page, "Commands"))}

    assert documented == {*COMMANDS, "demo", "bench"}


@pytest.mark.parametrize("name", ["once", "hold", "inspect", "break", "doctor", "migrate", "new-plugin"])
def test_every_option_is_documented(page, name):
    documented = {option for cell in first_cells(section(page, name)) for option in re.findall(r"`(--[a-z-]+)`", cell)}

    options = {option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("--")}
    assert documented == options - {"--help"}


def test_every_exit_code_is_documented(page):
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", section(page, "Exit codes"), re.MULTILINE)

    assert {int(code): meaning for code, meaning in rows} == {int(code): meaning for code, meaning in MEANINGS.items()}


def test_every_exit_code_is_in_the_help(cli):
    ran = cli("--help")

    assert all(f"{code:>5}  {meaning}" in ran.out for code, meaning in MEANINGS.items())


@pytest.mark.parametrize(("returncode", "code"), [(0, 0), (7, 7), (255, 255), (-9, 137), (-15, 143)])
def test_a_childs_end_becomes_a_shells_exit_code(returncode, code):
    assert exit_codes.of_process(returncode) == code


@pytest.mark.parametrize("arguments", [["inspect", "a:b"], ["doctor"], ["plugins"], ["version"]])
def test_every_key_of_a_json_document_is_documented(page, cli, url, monkeypatch, arguments):
    monkeypatch.setenv("BIDLOCK_URL", url)
    documented = set(re.findall(r"`([a-z_]+)`", section(page, arguments[0])))

    document = cli(*arguments, "--json").json
    nested = [document, *(value[0] for value in document.values() if isinstance(value, list) and value)]

    assert {key for part in nested for key in part} <= documented


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_complete_in_a_shell(process, shell):
    """What the installed completion script asks for when `bidlock ins` is completed."""
    asked = {
        "COMP_WORDS": "bidlock ins",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "bidlock ins",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }

    assert "inspect" in process(_BIDLOCK_COMPLETE=f"complete_{shell}", **asked).out
