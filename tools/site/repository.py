"""Make pages of what the docs link to outside of their folder: READMEs, source files, folders.

The pages in `docs/` link as GitHub wants it, by paths in the repository (`../../core/src/bidlock/modes.py`). A site has only
what lies in `docs/`. So whatever such a link leads to becomes a page below `repository/`, and the link leads there; what
those pages link to in turn does, too. mkdocs then checks every link of its own accord.
"""

from __future__ import annotations

import posixpath
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
DOCS = "docs"
PLACE = "repository"
LINK = re.compile(r"(?<!!)(\[[^\]\n]*(?:\n[^\]\n]*)?\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
FENCE = re.compile(r"^( *)(`{3,})[^\n]*\n.*?^\1\2 *$", re.MULTILINE | re.DOTALL)
LANGUAGES = {".py": "python", ".lua": "lua", ".sql": "sql", ".toml": "toml", ".yaml": "yaml", ".json": "json"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for everything that is linked to, from the docs or from such a page."""
    command = ["git", "ls-files"]
    tracked = set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines())
    wanted = [f"{DOCS}/{file.src_uri}" for file in files.documentation_pages()]
    seen = set(wanted)
    while wanted:
        for path in targets(wanted.pop()):
            if path not in seen and exists(path):
                seen.add(path)
                files.append(File.generated(config, uri(path), content=content(path, tracked)))
                wanted += [path] if path.endswith(".md") else []
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead links to where the pages are in the site."""
    origin = origin_of(page.file.src_uri)
    here = posixpath.dirname(page.file.src_uri)

    def led(match: re.Match[str]) -> str:
        path = target(origin, match[2])
        if path is None or not exists(path):
            return match[0]  # mkdocs says so
        return f"{match[1]}{posixpath.relpath(uri(path), here or '.')}{match[3]}"

    return outside_fences(markdown, lambda text: LINK.sub(led, text))


def outside_fences(markdown: str, change: Callable[[str], str]) -> str:
    """Change what is no code block."""
    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [change(markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, change(markdown[end:])])


def targets(page: str) -> list[str]:
    """Paths in the repository that a page links to."""
    text = FENCE.sub("", (ROOT / page).read_text())
    return [path for match in LINK.finditer(text) if (path := target(page, match[2])) is not None]


def target(origin: str, link: str) -> str | None:
    """The path that a link on a page means, from the repository's root; None for an address elsewhere."""
    if "://" in link or link.startswith("mailto:"):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))


def exists(path: str) -> bool:
    """Whether there is such a file or folder, in the repository."""
    return not path.startswith("..") and (ROOT / path).exists()


def uri(path: str) -> str:
    """Where the site has it: a page's own place below `docs/`, everything else below `repository/`."""
    if path.startswith(f"{DOCS}/"):
        return path.removeprefix(f"{DOCS}/") + ("/index.md" if (ROOT / path).is_dir() else "")
    # A README is the page of its folder, but not an index: mkdocs would show that in place of a section's title.
    return f"{PLACE}/{path.removesuffix('/README.md').removesuffix('.md')}.md"


def origin_of(src_uri: str) -> str:
    """The path in the repository of a page of the site."""
    if not src_uri.startswith(f"{PLACE}/"):
        return f"{DOCS}/{src_uri}"
    path = src_uri.removeprefix(f"{PLACE}/").removesuffix(".md")
    return f"{path}/README.md" if (ROOT / path).is_dir() else path if (ROOT / path).exists() else f"{path}.md"


def content(path: str, tracked: set[str]) -> str:
    """The page: Markdown as it is, a folder as a list, any other file as code."""
    file = ROOT / path
    if file.is_dir():
        readme = file / "README.md"
        return readme.read_text() if readme.exists() else listing(path, tracked)
    if file.suffix == ".md":
        return file.read_text()
    return f"# {path}\n\n`````{LANGUAGES.get(file.suffix, 'text')}\n{file.read_text()}\n`````\n"


def listing(folder: str, tracked: set[str]) -> str:
    """What a folder without a README has; its pages by their titles."""
    names = sorted(path.removeprefix(f"{folder}/") for path in tracked if path.startswith(f"{folder}/"))
    lines = [f"- [{title(folder, name)}]({name})" if name.endswith(".md") else f"- `{name}`" for name in names]
    return f"# {Path(folder).name.capitalize()}\n\n" + "\n".join(lines) + "\n"


def title(folder: str, name: str) -> str:
    """A page's first line."""
    return (ROOT / folder / name).read_text().partition("\n")[0].lstrip("# ")
