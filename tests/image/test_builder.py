"""The builder image: its labels, its user, its version and its usage."""

import pytest

from scorekit import __version__

from .engine import ROOT, inspected, output_of, writable
from .fixtures import HIDDEN

pytestmark = pytest.mark.e2e


def test_it_tells_what_it_is(builder: str) -> None:
    """The image's configuration has scripts, version, health check and a numeric user, and no package index."""
    config = inspected(builder)["Config"]
    assert config["Labels"]["io.openshift.s2i.scripts-url"] == "image:///s2i/bin"
    assert config["Labels"]["org.opencontainers.image.version"] == __version__
    assert {"5000/tcp", "9000/tcp", "6000/tcp"} == set(config["ExposedPorts"])
    assert config["Healthcheck"]["Test"] == ["CMD", "/s2i/bin/health"]
    assert config["User"] == "8888:0"
    assert HIDDEN not in str(config) + output_of("docker", "history", "--no-trunc", builder)


def test_documents_name_the_version_of_the_package() -> None:
    """The Dockerfile and docs/image.md name the version that the package has."""
    for name in ("s2i/Dockerfile", "docs/image.md"):
        text = (ROOT / name).read_text()
        assert f"scorekit/seldon-s2i-python3:{__version__}" in text, name


def test_there_is_no_compiler_and_no_cache_in_it(builder: str) -> None:
    """The image has no compiler and no pip cache, and its user may write only the folders for packages and sources."""
    looked = "for each in gcc cc g++ make cargo; do command -v $each; done; ls -A /tmp; find / -xdev -name .cache"
    assert output_of("docker", "run", "--rm", "--user", "0", builder, "sh", "-c", looked) == ""
    places = {line.split("/")[1] + "/" + line.split("/")[2] for line in writable(builder, "8888:0") if "/" in line[1:]}
    assert places == {"opt/component"}
    assert "/microservice" in writable(builder, "12345:0")


def test_a_bare_run_says_how_to_use_it(builder: str) -> None:
    """`docker run` of the builder, and `assemble -h`, print the usage."""
    usage = output_of("docker", "run", "--rm", builder)
    assert "s2i build DIR" in usage
    assert output_of("docker", "run", "--rm", builder, "/s2i/bin/assemble", "-h") == usage
