"""TLS for those without a gateway in front. Off unless there is a certificate."""

import ssl

from ...errors import SetupError


def context(certificate: str, key: str) -> ssl.SSLContext | None:
    """What connections are encrypted with; ``None`` without a certificate. Raises ``SetupError``."""
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise SetupError("TLS needs both a certificate (--tls-cert) and its key (--tls-key)")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION
    # The first that the client offers too. curl and browsers offer both and mean REST; gRPC clients offer h2 only.
    made.set_alpn_protocols(["http/1.1", "h2"])
    load(made, certificate, key)
    return made


def load(into: ssl.SSLContext, certificate: str, key: str) -> None:
    """Read both files; connections that come from now on see them. Raises ``SetupError``, and leaves what was there."""
    try:
        # Tried first: of a pair that does not fit OpenSSL keeps the certificate and drops the key that was in force.
        for each in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), into):
            each.load_cert_chain(certificate, key, password="")  # a key with a passphrase fails instead of asking
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise SetupError(f"the certificate {certificate} and the key {key} cannot be used: {reason}") from error
