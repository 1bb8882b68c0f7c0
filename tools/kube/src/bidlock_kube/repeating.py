"""Something that is done again and again beside a test."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def repeated(look: Callable[[], object], every: float) -> Iterator[None]:
    """Call `look` from a thread while the block runs.

    Args:
        look: What is done; the block ends only when it has returned.
        every: Seconds between two calls.
    """
    over = threading.Event()

    def work() -> None:
        while not over.wait(every):
            look()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
