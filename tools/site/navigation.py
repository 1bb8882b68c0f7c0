"""Let the navigation name a folder, `decisions/*`, so that a new page in it needs no line in mkdocs.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replace folders by their pages, sorted by name."""
    config.nav = expanded(config.nav, Path(config.docs_dir))
    return config


def expanded(entry: Any, docs: Path) -> Any:
    """The same part of the navigation, with pages in place of folders."""
    if isinstance(entry, dict):
        return {title: expanded(below, docs) for title, below in entry.items()}
    if isinstance(entry, list):
        return [one for below in entry for one in (pages(below, docs) if folder(below) else [expanded(below, docs)])]
    return entry


def folder(entry: Any) -> bool:
    """Whether an entry names a folder."""
    return isinstance(entry, str) and entry.endswith("/*")


def pages(entry: str, docs: Path) -> list[str]:
    """The pages of a folder, but not its index."""
    return [str(page.relative_to(docs)) for page in sorted(docs.glob(entry)) if page.suffix == ".md" and page.name != "index.md"]
