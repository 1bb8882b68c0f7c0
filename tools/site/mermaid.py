"""Bring mermaid itself into the site, so that a reader's browser loads it from nowhere else.

Material draws diagrams with the `mermaid` it finds and fetches one from the network only when there is none. The file is
the one that the package `mermaidx` carries, pinned with it in requirements.lock.
"""

from __future__ import annotations

from pathlib import Path

import mermaidx
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

SCRIPT = Path(mermaidx.__file__).parent / "assets" / "mermaid.js"
URI = "assets/javascripts/mermaid.js"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Have every page load it."""
    config.extra_javascript.append(URI)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put it among the site's files."""
    files.append(File.generated(config, URI, abs_src_path=str(SCRIPT)))
    return files
