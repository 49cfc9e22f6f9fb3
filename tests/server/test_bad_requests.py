import json

import pytest
from django.test import Client

from contract import wire
from contract.messages import LIMIT_BYTES, Refusal
from server.identity import Identity
from tests.server.simulated_device import Post

PATHS = ("/agent/v1/enrol", "/agent/v1/check-in")


def _refusal(body: bytes) -> Refusal:
    refusal = wire.decode(Refusal, body, limit_bytes=10_000)
    assert refusal.detail
    assert refusal.remedy
    assert "Traceback" not in refusal.detail
    return refusal


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [b" ", b"{", b"null", b"[]", b'{"sealed":1}', b'{"sealed":"x","bodies":[1]}', b"\xff\xfe", b"[" * 60_000],
)
def test_what_is_not_in_the_agreed_form_is_refused_with_a_sentence(
    post: Post, path: str, body: bytes
) -> None:
    status, answer = post(path, body)
    assert status == 400
    assert _refusal(answer).reason in {"malformed", "seal_malformed"}


@pytest.mark.parametrize("path", PATHS)
def test_more_than_the_limit_is_refused(post: Post, path: str) -> None:
    status, answer = post(path, b" " * (LIMIT_BYTES + 1))
    assert (status, _refusal(answer).reason) == (413, "too_large")


def test_a_request_that_only_claims_to_be_large_is_not_read(identity: Identity) -> None:
    response = Client().generic("POST", PATHS[0], b"{}", "application/json", CONTENT_LENGTH=str(10**9))
    assert response.status_code == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_other_methods_are_refused(identity: Identity, method: str) -> None:
    response = Client().generic(method, PATHS[1])
    assert response.status_code == 405
    assert response["Allow"] == "POST"
    if method != "HEAD":
        assert _refusal(response.content).reason == "method_unknown"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_other_content_types_are_refused(identity: Identity, kind: str) -> None:
    response = Client().generic("POST", PATHS[0], b"{}", kind)
    assert (response.status_code, _refusal(response.content).reason) == (415, "not_json")


@pytest.mark.parametrize(
    "path", ["/agent/", "/agent/v1/enrol/", "/agent/v2/check-in", "/agent/v1/../v1/enrol"]
)
def test_other_paths_are_refused_in_json(identity: Identity, path: str) -> None:
    response = Client().post(path, b"{}", content_type="application/json")
    assert (response.status_code, _refusal(response.content).reason) == (404, "path_unknown")


def test_a_foreign_host_name_does_not_lock_devices_out(identity: Identity) -> None:
    response = Client().post(PATHS[0], b"{}", content_type="application/json", HTTP_HOST="other.example")
    assert response["Content-Type"] == "application/json"
    assert json.loads(response.content)["reason"] == "malformed"


def test_devices_get_no_cookie_and_no_page(identity: Identity) -> None:
    response = Client().post(PATHS[0], b"{}", content_type="application/json")
    assert not response.cookies
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "no-store"
