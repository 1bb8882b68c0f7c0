"""Where files may and may not be."""

from __future__ import annotations


def test_nothing_in_the_operators_folder_shadows_the_standard_library(root):
    """A module, test or conftest right in `operator/` (or `operator/src/`) would become `import operator`'s answer."""
    assert not [*(root / "operator").glob("*.py"), *(root / "operator" / "src").glob("*.py")]


def test_no_folder_of_tests_is_a_package(root):
    """`tests/operator/__init__.py` would shadow the standard library, `tests/plugins/redis/__init__.py` the redis client."""
    assert not list((root / "tests").rglob("__init__.py"))


def test_every_distribution_says_what_it_is(member):
    readme = (member.folder / "README.md").read_text()

    assert readme.startswith(f"# {member.project['name']}\n")


def test_every_package_ships_its_types(member):
    assert member.packages
    assert all((package / "py.typed").is_file() for package in member.packages)


def test_a_marker_of_types_stands_only_where_it_means_something(tracked, all_members):
    meant = {package / "py.typed" for member in all_members for package in member.packages}

    assert {path for path in tracked if path.name == "py.typed" and "templates" not in path.parts} == meant


def test_every_folder_is_on_the_readmes_map(root, tracked):
    folders = {path.relative_to(root).parts[0] for path in tracked if path.parent != root}
    readme = (root / "README.md").read_text()

    assert not [folder for folder in folders if not folder.startswith(".") and f"`{folder}/" not in readme]
