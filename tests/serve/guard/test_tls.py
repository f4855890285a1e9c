"""Which certificate new connections get."""

import shutil
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from scorekit.errors import SetupError
from scorekit.serve.guard import tls

PAIRS = Path(__file__).parents[2] / "data" / "tls"


def certificate_of(server: ssl.SSLContext) -> str:
    """The certificate that a client of ``server`` receives, in PEM."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    here, there = socket.socketpair()
    with closing(here), closing(there), ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(server.wrap_socket, there, server_side=True)
        with client.wrap_socket(here) as shown:
            certificate = shown.getpeercert(binary_form=True)
        accepted.result().close()
    return ssl.DER_cert_to_PEM_cert(certificate or b"")


def test_a_key_that_does_not_fit_leaves_the_previous_pair_in_force(tmp_path: Path) -> None:
    """While only one of the two new files is written, clients still get the old certificate."""
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    shutil.copy(PAIRS / "first.pem", certificate)
    shutil.copy(PAIRS / "first.key", key)
    context = tls.server_context(str(certificate), str(key))
    assert context is not None
    before = certificate_of(context)
    shutil.copy(PAIRS / "second.pem", certificate)
    with pytest.raises(SetupError, match="cannot be used"):
        tls.load_certificate(context, str(certificate), str(key))
    assert certificate_of(context) == before
    shutil.copy(PAIRS / "second.key", key)
    tls.load_certificate(context, str(certificate), str(key))
    assert certificate_of(context) != before
