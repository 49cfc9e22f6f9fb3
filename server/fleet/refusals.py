"""Every refusal that a device can get: status, code, and when. The schema is made from this list; a test holds the code to it."""

from typing import get_args

import msgspec

from contract.envelope import SealProblem


class Told(msgspec.Struct, frozen=True):
    """One refusal."""

    status: int
    reason: str
    when: str


def _seal(problem: SealProblem) -> Told:
    """Return the refusal of a seal that does not hold; only what is no seal at all is not about who speaks."""
    return Told(
        400 if problem == "malformed" else 401, f"seal_{problem}", f"The seal does not hold: {problem}."
    )


OF_ANY_MACHINE: tuple[Told, ...] = (
    Told(400, "malformed", "The request, or what is sealed in it, does not have the agreed form."),
    Told(400, "incomplete", "The request broke off."),
    Told(404, "path_unknown", "Nothing answers at this address."),
    Told(405, "method_unknown", "Only POST is answered."),
    Told(408, "too_slow", "The request did not arrive in time."),
    Told(413, "too_large", "The request is too large."),
    Told(415, "not_json", "Only application/json is taken."),
    Told(429, "refused_too_often", "Too many requests from this address were refused."),
    Told(500, "fault", "The server could not do this; its log says why."),
    Told(503, "busy", "The database does not answer."),
)
"""What a device gets, and a capture connector alike (`server.records.refusals`)."""
ON_EVERY_WAY: tuple[Told, ...] = (
    *OF_ANY_MACHINE,
    *(_seal(problem) for problem in get_args(SealProblem)),
    Told(403, "device_revoked", "The company took this device out."),
)
OF_ENROLMENT: tuple[Told, ...] = (
    Told(403, "secret_of_another_server", "The secret belongs to another company's server."),
    Told(403, "secret_unknown", "Nobody knows the secret."),
    Told(403, "secret_revoked", "The secret was taken back."),
    Told(403, "secret_expired", "The secret has run out."),
    Told(403, "secret_used_up", "The secret has been used up."),
)
OF_HOLDINGS: tuple[Told, ...] = (
    Told(400, "not_timely", "The request is not of this moment."),
    Told(401, "device_unknown", "The server does not know this device."),
    Told(429, "too_often", "The device asks too often."),
)
OF_LEAVING: tuple[Told, ...] = (
    *OF_HOLDINGS,
    Told(403, "not_personal", "The device is the company's, which alone takes it out."),
)
OF_CHECK_IN: tuple[Told, ...] = (
    Told(400, "bodies_differ", "The bodies and the sealed list name different numbers."),
    Told(400, "digest_differs", "A body is not the one that was sealed."),
    Told(400, "too_many_gaps", "Too many numbers were left out."),
    Told(400, "key_not_proven", "The device does not prove that it holds its next key."),
    Told(400, "key_known", "The next key is or was in use."),
    Told(401, "device_unknown", "The server does not know this device."),
    Told(429, "too_often", "The device asks too often."),
)
