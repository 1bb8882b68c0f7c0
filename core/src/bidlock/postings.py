"""What a lock is about: one posting on one marketplace, and the key under which every store files it.

Two different postings never share a key, whatever their ids contain. For ordinary ids the key is simply
`marketplace:posting`, so that a human reading a store (and the original bot's table) recognises it.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from bidlock.errors import InvalidPosting

MAX_ID_BYTES = 4096
"""Longest id in UTF-8 bytes; marketplaces write tens. A longer one is a mistake (a whole page, say), not an id."""

MAX_KEY_BYTES = 200
"""A longer key is replaced by its digest, so that markers stay compact."""

SHARDS = 65_536
"""How many shards the markers of one bucket are spread over (a shard is a small hash in Redis; part of FORMAT)."""

HASH_NAME = "blake2b-64"
"""Which function spreads postings over buckets; recorded in every store's meta."""

_MARKETPLACE_SPECIAL = re.compile(r"[\x00-\x20%:{}\x7f\ud800-\udfff]")
_POSTING_SPECIAL = re.compile(r"[\x00-\x20%{}\x7f\ud800-\udfff]")


class Posting(NamedTuple):
    """One posting. Build it with `posting()`, which checks the ids.

    Attributes:
        marketplace: The marketplace's name, as the caller writes it.
        id: The posting's id, as the marketplace writes it.
        key: Collision-safe text under which stores file the posting; at most 200 UTF-8 bytes.
        digest: First 8 bytes of the key's BLAKE2b as an unsigned integer; chooses bucket and shard.
    """

    marketplace: str
    id: str
    key: str
    digest: int

    def bucket(self, buckets: int) -> int:
        """Number of the bucket (0-based) this posting lives in, of `buckets`."""
        return self.digest % buckets

    @property
    def shard(self) -> int:
        """Number of the marker shard (0-based) inside the bucket."""
        return shard(self.digest)

    @property
    def original_key(self) -> str:
        """`lock_key` of the original bot's SQLite table.

        It joins the raw ids, so two postings may share it when a marketplace's name contains a colon; then they
        exclude each other while leased, which is safe, and nothing else.
        """
        return f"bid:lock:{self.marketplace}:{self.id}"


def posting(marketplace: str, posting_id: str) -> Posting:
    """Check the ids and derive the key.

    Raises:
        InvalidPosting: an id is empty, not text, or longer than `MAX_ID_BYTES`.
    """
    key = f"{_escaped(marketplace, _MARKETPLACE_SPECIAL, 'marketplace')}:{_escaped(posting_id, _POSTING_SPECIAL, 'posting id')}"
    encoded = key.encode()
    if len(encoded) > MAX_KEY_BYTES:
        key = "%sha256:" + hashlib.sha256(encoded).hexdigest()
        encoded = key.encode()
    return Posting(marketplace, posting_id, key, _digest(encoded))


def digest(key: str) -> int:
    """The digest of a posting of which only the key is known; modulo the number of buckets it is the bucket."""
    return _digest(key.encode())


def shard(of_digest: int) -> int:
    """Number of the marker shard (0-based) inside the bucket."""
    return (of_digest >> 48) % SHARDS


def _digest(key: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big")


def _escaped(text: str, special: re.Pattern[str], what: str) -> str:
    if not isinstance(text, str):
        raise InvalidPosting(f"the {what} must be text, not {type(text).__name__}; decode bytes, or write a number with str()")
    if not text:
        raise InvalidPosting(f"the {what} is empty")
    if _too_long(text):
        raise InvalidPosting(f"the {what} is longer than {MAX_ID_BYTES} bytes (it starts with {text[:32]!r})")
    return special.sub(_percent, text)


def _too_long(text: str) -> bool:
    """Encodes only where it matters: a character takes one to four bytes."""
    return len(text) > MAX_ID_BYTES or (4 * len(text) > MAX_ID_BYTES and len(text.encode(errors="surrogatepass")) > MAX_ID_BYTES)


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode(errors="surrogatepass"))
