"""Attempts on real stores, through the bidders' port; an original bot through its own SQL."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from migration_model.scripts import LEGACY
from migration_replay.stage import TTL_MS, Stage, insisted

from bidlock.backend import Answer, MarkerState, Ticket, Verdict
from bidlock.modes import MODES, Role

OK = Answer(Verdict.OK)


@dataclass
class Player:
    """One attempt.

    Attributes:
        ticket: Its own; for an original bot only the nonce counts, as its holder id.
        giver: The ticket of the attempt that left it its rows.
        token: As the last store that gave one said.
    """

    ticket: Ticket
    giver: Ticket | None = None
    token: int = 0

    @property
    def nonces(self) -> set[str]:
        """Under which its rows may stand."""
        return {self.ticket.nonce} | ({self.giver.nonce} if self.giver else set())


class Bidding:
    """Every attempt of a replay, by its slot."""

    def __init__(self, stage: Stage) -> None:
        self.players: dict[int, Player] = {}
        self.posted_at_ms = now_ms()
        self._stage = stage

    def ticket(self, mode: str, domain: str) -> Ticket:
        """Of a fresh attempt."""
        return Ticket(self._stage.posting, secrets.token_hex(16), mode, "replay", TTL_MS, self.posted_at_ms, domain)

    def enter(self, slot: int, mode: str, domain: str) -> Player:
        """An attempt comes, unless it is there."""
        if slot not in self.players:
            self.players[slot] = Player(self.ticket(mode, domain))
        return self.players[slot]

    def leave(self, slot: int) -> None:
        """It is over, or its process died: nobody speaks under its nonce any more."""
        self.players.pop(slot, None)

    async def lease(self, player: Player, role: Role) -> Answer:
        """Acquire in one store."""
        if player.ticket.mode == LEGACY:
            return self._bot_takes(player)
        giver = player.giver.nonce if player.giver else ""
        answer = await self.ask(role, lambda store: store.acquire(player.ticket, floor=player.token, passed_from=giver))
        player.token = answer.token or player.token
        return answer

    async def confirm(self, player: Player) -> Answer:
        """Confirm in the target."""
        return await self.ask(Role.TARGET, lambda store: store.confirm(player.ticket, player.token))

    async def claim(self, player: Player, role: Role) -> Answer:
        """Claim in one store."""
        return await self.ask(role, lambda store: store.claim(player.ticket, player.token))

    async def mark(self, player: Player) -> Answer:
        """Leave the marker of courtesy, where it may be; another's that stands there is as good."""
        (role,) = MODES[player.ticket.mode].marks
        answer = await self.ask(role, lambda store: store.mark(player.ticket, player.token, MarkerState.PLACED))
        return OK if answer.verdict is Verdict.DONE else answer

    async def release(self, slot: int) -> None:
        """Give back whatever may be the attempt's, and end it."""
        player = self.players.pop(slot)
        if player.ticket.mode == LEGACY:
            self._stage.in_file("DELETE FROM distributed_locks WHERE holder_id = ?", player.ticket.nonce)
            return
        for ticket in (player.ticket, *([player.giver] if player.giver else [])):
            for role in MODES[player.ticket.mode].roles:
                await self.ask(role, lambda store, ticket=ticket: store.release(ticket))

    def pass_on(self, slot: int, mode: str) -> None:
        """The holder stops believing; an heir comes, who may take the rows over."""
        giver = self.players[slot].ticket
        self.players[slot] = Player(self.ticket(mode, giver.domain), giver)

    async def ask(self, role: Role, question: Callable[..., Awaitable[Answer]]) -> Answer:
        """Ask one store until it answers."""
        store = self._stage.file if role is Role.ORIGIN else self._stage.redis
        return await insisted(lambda: question(store))

    def _bot_takes(self, player: Player) -> Answer:
        """As the original bot does: expired rows go, its own comes; whatever stands in the way is an IntegrityError."""
        now = time.time()
        self._stage.in_file("DELETE FROM distributed_locks WHERE expires_at < ?", now)
        row = (player.ticket.nonce, self._stage.posting.original_key, player.ticket.nonce, now, now + TTL_MS / 1000)
        try:
            self._stage.in_file("INSERT INTO distributed_locks VALUES (?, ?, ?, ?, ?, NULL)", *row)
        except sqlite3.IntegrityError:
            return Answer(Verdict.HELD)
        return OK


def now_ms() -> int:
    """A moment that no other call gets, Unix milliseconds."""
    time.sleep(0.002)
    now = time.time_ns() // 1_000_000
    time.sleep(0.002)
    return now
