"""What the marketplace knows: every accepted bid, grouped by posting. Pure; no clock, no file, no network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class BadBid(ValueError):
    """The bid misses a field, or a field has the wrong type."""


class Bid(NamedTuple):
    """One bid as it arrived.

    Attributes:
        marketplace: Where the posting stands.
        id: The posting's id.
        bidder: Who bids.
        amount: What the bidder asks for.
        token: Fencing token of the bidder's lease; 0 when it has none.
    """

    marketplace: str
    id: str
    bidder: str
    amount: float
    token: int = 0

    @property
    def posting(self) -> tuple[str, str]:
        """What the bid is for."""
        return self.marketplace, self.id


def parse(fields: object) -> Bid:
    """Read a bid from decoded JSON.

    Raises:
        BadBid: names the field that is missing or wrong.
    """
    if not isinstance(fields, Mapping):
        raise BadBid("a bid is a JSON object")
    return Bid(
        _text(fields, "marketplace"),
        _text(fields, "id"),
        _text(fields, "bidder"),
        float(_number(fields, "amount", None)),
        int(_number(fields, "token", 0)),
    )


@dataclass
class Ledger:
    """Accepted bids by posting. It accepts duplicates, as real marketplaces do, and counts them.

    Attributes:
        refuse: Share of the postings, 0 to 1, that refuse every bid: filled or withdrawn in the meantime.
    """

    refuse: float = 0.0
    _bids: dict[tuple[str, str], list[Bid]] = field(default_factory=dict)
    _count: int = 0
    _refused: int = 0

    def refuses(self, bid: Bid) -> bool:
        """Whether the posting takes no bids; the same answer whoever asks, and counted."""
        digest = hashlib.blake2b(repr(bid.posting).encode("utf-8", "surrogatepass"), digest_size=4).digest()
        refused = int.from_bytes(digest) / 2**32 < self.refuse
        self._refused += refused
        return refused

    def accept(self, bid: Bid) -> int:
        """Enter the bid and return its number, from 1."""
        self._bids.setdefault(bid.posting, []).append(bid)
        self._count += 1
        return self._count

    def stats(self) -> dict[str, Any]:
        """Bids, postings bid on, duplicates (every bid after a posting's first), and the duplicates in detail."""
        doubled = {posting: bids for posting, bids in self._bids.items() if len(bids) > 1}
        return {
            "bids": self._count,
            "postings": len(self._bids),
            "duplicates": self._count - len(self._bids),
            "refused": self._refused,
            "details": [_detail(posting, bids) for posting, bids in doubled.items()],
        }


def _detail(posting: tuple[str, str], bids: list[Bid]) -> dict[str, Any]:
    return {
        "marketplace": posting[0],
        "id": posting[1],
        "bids": [{"bidder": bid.bidder, "amount": bid.amount, "token": bid.token} for bid in bids],
    }


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise BadBid(f"{name} must be a text that is not empty")
    return value


def _number(fields: Mapping[str, object], name: str, default: int | None) -> float:
    value = fields.get(name, default)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise BadBid(f"{name} must be a number")
    return value
