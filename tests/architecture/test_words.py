"""What no tracked file may say: where a machine keeps things, and where packages are fetched from."""

from __future__ import annotations

import re

# Put together from pieces, so that this file does not say them either.
FORBIDDEN = re.compile(
    "|".join(
        (
            r"py" + r"pi\.org",
            r"python" + r"hosted",
            r"artif" + r"actory",
            r"(--|extra-|)index" + r"[-_]url",
            r"proxy\.golang" + r"\.org",
            r"(?<![\w.])/(work|home|root|Users)" + r"/",
            r"shared" + r"/(design|style|facts|protocol|seed|hooks|tools|cluster)",
        )
    )
)


def test_no_file_names_a_registry_or_a_folder_of_one_machine(root, tracked):
    found = []
    for path in tracked:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if match := FORBIDDEN.search(line):
                found.append(f"{path.relative_to(root)}:{number}: {match[0]}")

    assert not found
