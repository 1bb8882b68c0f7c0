"""A soak's history as values: what the journals say, put together by nobody who took part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Bid(NamedTuple):
    """A bid that was placed.

    Attributes:
        posting: What was bid on.
        process: Who bid.
        token: Fencing token.
        at: When, monotonic seconds.
        mode: Mode of the attempt.
        nonce: The lease's identity.
    """

    posting: str
    process: str
    token: int
    at: float
    mode: str = ""
    nonce: str = ""


class Belief(NamedTuple):
    """A time during which a process had every reason to believe that it held a posting, monotonic seconds."""

    posting: str
    process: str
    token: int
    start: float
    end: float


class Grant(NamedTuple):
    """A lease that was granted: somebody asked, and later knew that it had been granted, monotonic seconds."""

    posting: str
    process: str
    token: int
    asked: float
    known: float


class Try(NamedTuple):
    """One attempt to bid.

    Attributes:
        posting: What for.
        process: Whose.
        ended: `placed`, the reason why not, or empty: whoever tried was killed.
        leased: Whether it got a lease.
    """

    posting: str
    process: str
    ended: str
    leased: bool


class Outage(NamedTuple):
    """A time in which a store was not to be reached, monotonic seconds.

    Attributes:
        start: It was killed.
        end: It answered for the first time.
        deciding: Whether it had the authority.
    """

    start: float
    end: float
    deciding: bool = False


@dataclass
class History:
    """Everything that was written down. Times are monotonic seconds.

    Attributes:
        bids: By time.
        beliefs: In any order, like what follows.
        grants: Leases.
        tries: Attempts to bid.
        outages: Of Redis.
        absences: Times in which no controller was at work.
        walks: How often the fleet went to Redis and back.
        skips: Attempts without a bid, by reason.
        faults: By kind.
        span: First and last moment that count for pauses.
        left: When controllers ended.
        came: When controllers began their work.
    """

    bids: list[Bid] = field(default_factory=list)
    beliefs: list[Belief] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    absences: list[Outage] = field(default_factory=list)
    walks: int = 0
    skips: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    span: tuple[float, float] = (0.0, 0.0)
    left: list[float] = field(default_factory=list)
    came: list[float] = field(default_factory=list)


Facts = Iterable[Mapping[str, Any]]


def told(journals: Mapping[str, Facts]) -> History:
    """One history from the journals of many processes, by the process's name."""
    history = History()
    killed: dict[str, float] = {}
    for name, facts in journals.items():
        if name == "soak":
            _take_parent(history, facts, killed)
    for name, facts in journals.items():
        if name.startswith("walker"):
            _take_walker(history, facts)
        elif name != "soak":
            _Process(history, name, killed.get(name)).take(facts)
    history.bids.sort(key=lambda bid: bid.at)
    history.absences += _between(history.left, history.came)
    return history


def _take_parent(history: History, facts: Facts, killed: dict[str, float]) -> None:
    begun, ended = 0.0, 0.0
    for fact in facts:
        match fact["fact"]:
            case "fault":
                history.faults[fact["kind"]] += 1
            case "killed":
                killed[fact["process"]] = fact["at"]
            case "outage":
                history.outages.append(Outage(fact["start"], fact["end"], fact["deciding"]))
            case "absence":
                history.absences.append(Outage(fact["start"], fact["end"]))
            case "left":
                history.left.append(fact["at"])
            case "begun":
                begun = fact["at"]
            case "ended":
                ended = fact["at"]
    history.span = (begun, ended)


def _take_walker(history: History, facts: Facts) -> None:
    for fact in facts:
        if fact["fact"] == "fault":
            history.faults[fact["kind"]] += 1
        history.walks += fact["fact"] == "walked"
        if fact["fact"] == "at work":
            history.came.append(fact["at"])


def _between(left: list[float], came: list[float]) -> list[Outage]:
    """From each end of a controller to the first one after it that is at work."""
    return [Outage(end, min((start for start in came if start > end), default=float("inf"))) for end in left]


class _Process:
    """Reads one bidder's journal. What a kill left unfinished is ended here."""

    def __init__(self, history: History, name: str, killed: float | None) -> None:
        self._history = history
        self._name = name
        self._killed = killed
        self._tries: dict[int, tuple[str, float]] = {}
        self._holds: set[int] = set()
        self._leases: dict[int, int] = {}
        self._believed: dict[int, tuple[float, float]] = {}

    def take(self, facts: Facts) -> None:
        """Everything in it."""
        for fact in facts:
            self._take(fact["fact"], fact)
        for number, (start, deadline) in list(self._believed.items()):
            self._believe(number, start, min(self._killed or start, deadline))
        for number in list(self._tries):
            self._tried(number, "")

    def _take(self, kind: str, fact: Mapping[str, Any]) -> None:
        number = fact.get("attempt", 0)
        match kind:
            case "try":
                self._tries[number] = (fact["posting"], fact["at"])
                if not fact["bids"]:
                    self._holds.add(number)
            case "leased":
                self._lease(number, fact)
            case "locked":  # by an original bot, which knows no tokens
                self._leases[number] = 0
            case "bid":
                bid = Bid(fact["posting"], self._name, fact["token"], fact["at"], fact["mode"], fact["nonce"])
                self._history.bids.append(bid)
            case "believes":
                self._believed[number] = (fact["at"], fact["deadline"])
            case "believed":
                start, _ = self._believed[number]
                self._believe(number, start, fact["at"])
            case "done":
                self._done(number, fact["outcome"])

    def _lease(self, number: int, fact: Mapping[str, Any]) -> None:
        posting, asked = self._tries[number]
        self._leases[number] = fact["token"]
        self._history.grants.append(Grant(posting, self._name, fact["token"], asked, fact["at"]))

    def _believe(self, number: int, start: float, end: float) -> None:
        del self._believed[number]
        self._history.beliefs.append(Belief(self._tries[number][0], self._name, self._leases[number], start, max(start, end)))

    def _done(self, number: int, outcome: str) -> None:
        self._tried(number, outcome)
        if outcome not in ("placed", "released"):
            self._history.skips[outcome] += 1

    def _tried(self, number: int, outcome: str) -> None:
        posting, _ = self._tries.pop(number)
        leased = self._leases.pop(number, None) is not None
        if number not in self._holds:
            self._history.tries.append(Try(posting, self._name, outcome, leased))
