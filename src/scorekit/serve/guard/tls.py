"""TLS for servers without a gateway in front. Off unless there is a certificate."""

import ssl

from ...errors import SetupError


def server_context(certificate: str, key: str) -> ssl.SSLContext | None:
    """Return the context that encrypts connections; ``None`` without a certificate.

    Raises ``SetupError`` if only one of the two files is given, or if they cannot be used.
    """
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise SetupError("TLS needs both a certificate (--tls-cert) and its key (--tls-key)")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    # OpenSSL selects the first protocol here that the client offers too. curl and browsers offer both and send REST
    # requests, so http/1.1 comes first; gRPC clients offer h2 only.
    context.set_alpn_protocols(["http/1.1", "h2"])
    load_certificate(context, certificate, key)
    return context


def load_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Load both files into ``context``; connections that are made from now on use them.

    Raises ``SetupError`` if the files cannot be used; then the previous pair stays in force.
    """
    try:
        # A scratch context is loaded first. If a certificate and a key do not fit, OpenSSL keeps the new certificate
        # and drops the key that was in force, and no handshake would succeed any more. This happens in practice: the
        # two files are written one after the other.
        for each in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), context):
            each.load_cert_chain(certificate, key, password="")  # a key with a passphrase fails instead of asking
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise SetupError(f"the certificate {certificate} and the key {key} cannot be used: {reason}") from error
