"""Every refusal that a capture connector can get. The schema is made from this list; a test holds the code to it."""

from server.fleet.refusals import OF_ANY_MACHINE, Told

OF_HEARTBEATS: tuple[Told, ...] = (
    *OF_ANY_MACHINE,
    Told(400, "written_in_future", "It says that it wrote something at a time that is still to come."),
    Told(401, "token_missing", "The header Authorization brings no token."),
    Told(401, "token_unknown", "Nobody knows the token."),
    Told(403, "token_revoked", "The token was taken back."),
    Told(403, "token_expired", "The token has run out."),
    Told(429, "too_often", "The connector reports too often."),
)
