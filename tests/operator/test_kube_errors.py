"""What the API server's refusals become."""

from __future__ import annotations

import pytest

from bidlock_operator.kube import errors


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (403, "Forbidden", errors.Forbidden),
        (404, "NotFound", errors.NotFound),
        (409, "AlreadyExists", errors.AlreadyExists),
        (409, "Conflict", errors.Conflict),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.Busy),
        (500, "InternalError", errors.Busy),
        (503, "ServiceUnavailable", errors.Busy),
        (400, "BadRequest", errors.Refused),
    ],
)
def test_a_refusal_has_the_type_of_its_status(status, reason, kind):
    error = errors.refusal(status, {"reason": reason, "message": "no"}, "")

    assert type(error) is kind
    assert (error.status, error.reason, str(error)) == (status, reason, "no")


@pytest.mark.parametrize(("header", "seconds"), [("3", 3.0), ("", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0)])
def test_a_refusal_says_when_to_come_back(header, seconds):
    assert errors.refusal(429, {}, header).retry_after == seconds


def test_an_answer_that_is_no_status_is_told_by_its_number():
    assert str(errors.refusal(502, "<html>", "")) == "HTTP status 502"
