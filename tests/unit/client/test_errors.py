"""Answers of 400 and above become the exception that someone acts on."""

import pytest

from cn2.client.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Gone,
    Invalid,
    NotFound,
    Unavailable,
    error_of_reply,
)


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (410, "Expired", Gone),
        (422, "Invalid", Invalid),
        (429, "TooManyRequests", Unavailable),
        (503, "ServiceUnavailable", Unavailable),
        (400, "BadRequest", ApiError),
    ],
)
def test_status_and_reason_choose_the_class(code, reason, kind):
    body = f'{{"kind":"Status","reason":"{reason}","message":"why","code":{code}}}'.encode()

    error = error_of_reply(code, body)

    assert type(error) is kind
    assert (error.status, error.reason, error.message) == (code, reason, "why")


def test_an_answer_that_is_no_status_keeps_its_text():
    error = error_of_reply(502, b"<html>bad gateway</html>", retry_after="3")

    assert isinstance(error, Unavailable)
    assert "bad gateway" in error.message
    assert error.retry_after == 3
