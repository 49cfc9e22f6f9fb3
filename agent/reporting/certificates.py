"""Why a server's certificate is not believed, in words: most often a proxy that looks into TLS, whose name the reader will know.

The certificate is fetched once more without being believed. Nothing is sent on that connection.
"""

import contextlib
import ssl
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from agent.errors import UnreachableError

PATIENCE_SECONDS = 5.0
_EXPIRED, _NOT_YET, _SELF_SIGNED, _SELF_SIGNED_ROOT, _NO_ISSUER, _OTHER_HOST = 10, 9, 18, 19, 20, 62
"""X509_V_ERR codes (OpenSSL 3, X509_STORE_CTX_get_error)."""
_TRUST = "If it is your company's, add its authority to the system's trusted ones; if you do not know it, tell your administrator."


def explained(url: str, error: Exception) -> UnreachableError | None:
    """Return what a failed verification means; None if the error is another."""
    failed = _verification(error)
    if failed is None:
        return None
    host = urlsplit(url).hostname or url
    match failed.verify_code:
        case code if code == _EXPIRED:
            return UnreachableError(
                f"The certificate of {host} has run out.", "Tell whoever runs the server."
            )
        case code if code == _NOT_YET:
            return UnreachableError(
                f"The certificate of {host} does not hold yet.", "See whether this device's clock is right."
            )
        case code if code == _OTHER_HOST:
            return UnreachableError(
                f"The certificate that was met is for another name than {host}.",
                "Check server_url in the settings.",
            )
    issuer = _issuer(url)
    if issuer is None:
        return UnreachableError(
            f"The certificate of {host} is not believed ({failed.verify_message}).", _TRUST
        )
    by = "itself" if failed.verify_code == _SELF_SIGNED else f"“{issuer}”, which this device does not trust"
    return UnreachableError(f"The certificate of {host} was issued by {by}.", _TRUST)


def _verification(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Return the failed verification that an error has as its cause, however deep."""
    for _ in range(10):
        if error is None or isinstance(error, ssl.SSLCertVerificationError):
            return error
        inner = getattr(error, "reason", None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    return None


def _issuer(url: str) -> str | None:
    """Return who issued the certificate that stands at an address."""
    parts = urlsplit(url)
    with contextlib.suppress(OSError, ValueError):
        text = ssl.get_server_certificate((parts.hostname or "", parts.port or 443), timeout=PATIENCE_SECONDS)
        name = x509.load_pem_x509_certificate(text.encode()).issuer
        for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
            for one in name.get_attributes_for_oid(kind):
                shown = "".join(character for character in str(one.value) if character.isprintable())
                return shown[:100]
        return name.rfc4514_string()[:100]
    return None
