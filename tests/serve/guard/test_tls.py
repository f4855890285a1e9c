"""The certificate that connections see."""

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
    """What a client of ``server`` is shown."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    here, there = socket.socketpair()
    with closing(here), closing(there), ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(server.wrap_socket, there, server_side=True)
        with client.wrap_socket(here) as shown:
            found = shown.getpeercert(binary_form=True)
        accepted.result().close()
    return ssl.DER_cert_to_PEM_cert(found or b"")


def test_a_pair_that_does_not_fit_leaves_the_one_in_force(tmp_path: Path) -> None:
    """Between a new certificate and its new key, written one after the other, clients are still shown the old one."""
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
