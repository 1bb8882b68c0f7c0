"""What can happen between an operator and its API server, and a generator that lets it happen."""

from __future__ import annotations

import enum
import random
from dataclasses import dataclass

from aiohttp import web


class Fault(enum.Enum):
    """What happens to a request."""

    NONE = "none"
    TOO_MANY = "429"
    BROKEN = "500"
    NO_JSON = "503 of a proxy"
    CONFLICT = "409"
    CUT = "cut before it is done"
    SWALLOWED = "no answer, not done"
    LATE = "no answer, done"
    LOST_REPLY = "done, and cut"
    TORN = "done, and half an answer"
    HELD = "held"


class Stream(enum.Enum):
    """What happens to a watch."""

    WELL = "well"
    CUT = "watch cut"
    TORN = "watch torn"
    SILENT = "watch silent"
    GONE = "watch gone"


REQUESTS = tuple(fault for fault in Fault if fault not in {Fault.NONE, Fault.HELD})
WATCHES = tuple(stream for stream in Stream if stream is not Stream.WELL)


@dataclass(frozen=True, slots=True)
class Treatment:
    """Of one request.

    Attributes:
        fault: What happens to it; a watch that has none is carried.
        stream: What happens to the watch, `after` seconds from its start.
    """

    fault: Fault = Fault.NONE
    stream: Stream = Stream.WELL
    after: float | None = None


class Weather:
    """Chooses by chance, the same for the same seed and order of requests."""

    def __init__(self, seed: int, *, requests: tuple[Fault, ...] = (), watches: tuple[Stream, ...] = (), share: float = 0.2) -> None:
        """Fair at first.

        Args:
            seed: Of the generator.
            requests: What may happen to a request.
            watches: What may happen to a watch.
            share: How many of a hundred requests are struck, as a fraction. Every watch is.
        """
        self._random = random.Random(seed)
        self._requests = requests
        self._watches = watches
        self._share = share

    def __call__(self, request: web.Request) -> Treatment:
        """As `proxy.Choice`."""
        if request.query.get("watch"):
            return self._watch()
        if not self._requests or self._random.random() >= self._share:
            return Treatment()
        fault = self._random.choice(self._requests)
        return Treatment() if fault is Fault.CONFLICT and request.method == "GET" else Treatment(fault)

    def _watch(self) -> Treatment:
        if not self._watches:
            return Treatment()
        return Treatment(stream=self._random.choice(self._watches), after=self._random.uniform(0.2, 3.0))
