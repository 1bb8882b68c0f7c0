"""How a request to the API server can fail: one class per case that somebody treats differently."""

from __future__ import annotations

from bidlock.errors import BidlockError


class KubeError(BidlockError):
    """The Kubernetes API did not do what it was asked to."""


class Unanswered(KubeError):
    """No answer came, or one that cannot be read: the request may have been carried out."""


class Refused(KubeError):
    """The API server answered, and said no.

    Attributes:
        status: HTTP status.
        reason: As in `Status.reason`.
        retry_after: Seconds after which the server wants to be asked again; 0 when it does not say.
    """

    def __init__(self, message: str = "", *, status: int = 0, reason: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after

    @property
    def of_the_object(self) -> bool:
        """Whether the object is at fault; what cannot be read, and a webhook that gives no status, are answered by 400."""
        return self.status in (400, 422)


class NotFound(Refused):
    """There is no such object, or no such kind."""


class AlreadyExists(Refused):
    """An object of that name is there."""


class Conflict(Refused):
    """The object is not the one that was seen: another version, or another identity."""


class Invalid(Refused):
    """The object breaks a rule of its kind."""


class Forbidden(Refused):
    """The operator may not do this, or a quota or an ending namespace forbids it."""


class Busy(Refused):
    """The server cannot answer now: too many requests, or a fault of its own."""


def refusal(status: int, body: object, retry_after: str) -> Refused:
    """The error for an answer of 400 or above."""
    said = body if isinstance(body, dict) else {}
    reason, message = str(said.get("reason", "")), str(said.get("message", "")) or f"HTTP status {status}"
    return _kind(status, reason)(message, status=status, reason=reason, retry_after=_seconds(retry_after))


def _kind(status: int, reason: str) -> type[Refused]:
    if status == 409 and reason == "AlreadyExists":
        return AlreadyExists
    if status == 429 or status >= 500:
        return Busy
    return {403: Forbidden, 404: NotFound, 409: Conflict, 410: NotFound, 422: Invalid}.get(status, Refused)


def _seconds(text: str) -> float:
    try:
        return max(float(text), 0.0)
    except ValueError:
        return 0.0  # a date: asked again by our own pace
