"""What the audit log's codes say in words."""

_WORDS = {
    "catalogue.published": "Catalogue published",
    "catalogue.sealed_anew": "Catalogue sealed anew",
    "check_in": "Check-in refused",
    "connector": "Heartbeat refused",
    "connector.made": "Capture connector made",
    "connector.revoked": "Capture connector's token taken back",
    "connector.token_renewed": "Capture connector's token renewed",
    "device.enrolled": "Device enrolled",
    "device.enrolled_again": "Device enrolled again",
    "device.holdings_given": "Records of a device given out",
    "device.key_asked": "New device key asked for",
    "device.key_changed": "Device key changed",
    "device.left": "Personal device left and was erased",
    "device.let_back": "Device let back in",
    "device.replaced": "Device replaced",
    "device.revoked": "Device revoked",
    "enrolment": "Enrolment refused",
    "key.rotated": "Key changed",
    "login_link.created": "Login link made",
    "person.created": "Person added",
    "person.password_changed": "Password changed",
    "person.signed_in": "Signed in",
    "policy.not_renewed": "Policy cannot be renewed",
    "policy.published": "Policy published",
    "policy.renewed": "Policy renewed",
    "records.restored": "Records restored from a backup",
    "request.answered": "Request answered",
    "retention.applied": "Old data erased",
    "retention.interrupted": "Erasing old data broke off",
    "secret.issued": "Secret made",
    "secret.revoked": "Secret taken back",
    "sign_in.failed": "Sign-in failed",
    "sign_in.throttled": "Sign-ins throttled",
    "unlisted.added": "Unlisted messenger listed",
    "unlisted.dismissed": "Unlisted messenger found to be none",
    "unlisted.taken_back": "Decision on an unlisted messenger taken back",
}


def in_words(action: str) -> str:
    """Return what was done.

    >>> in_words("policy.published"), in_words("enrolment.secret_expired")
    ('Policy published', 'Enrolment refused: secret expired')
    """
    if action in _WORDS:
        return _WORDS[action]
    area, _, reason = action.partition(".")
    return f"{_WORDS[area]}: {reason.replace('_', ' ')}" if area in _WORDS else action
