"""The one place that reads contract.json from disk."""

import logging
from pathlib import Path

import pytest

from scorekit.contract import ContractError, configured_contract, read_contract, usual_contract

GOOD = """{
 "features": [{"name": "x", "ftype": "continuous", "dtype": "FLOAT"}],
 "targets": [{"name": "y", "ftype": "categorical", "values": ["a", "b"]}]
}"""
BROKEN = GOOD.replace(', "dtype": "FLOAT"', "")


def test_a_contract_that_is_configured_is_read_from_the_components_folder(tmp_path: Path) -> None:
    """The setting names a file relative to the folder; without the setting there is no contract."""
    (tmp_path / "mine.json").write_text(GOOD)
    contract = configured_contract("mine.json", tmp_path)
    assert contract is not None
    assert contract.target_names() == ["y"]
    assert configured_contract("", tmp_path) is None


@pytest.mark.parametrize(
    ("content", "message", "line", "path"),
    [
        (None, "the contract {file} cannot be read: No such file or directory", None, ""),
        (b"\xff", "the contract {file} cannot be read: 'utf-8' codec can't decode byte 0xff in position 0", None, ""),
        (b'{\n"features": [}', "{file} is not JSON: Expecting value: line 2", 2, ""),
        (b"[" * 100_000, "{file} is nested too deeply to be a contract", None, ""),
        (
            BROKEN.encode(),
            "{file}, line 2: features[0].dtype is missing; it must be FLOAT or INT",
            2,
            "features[0].dtype",
        ),
    ],
)
def test_a_fault_names_file_line_and_place(
    tmp_path: Path, content: bytes | None, message: str, line: int | None, path: str
) -> None:
    """Whatever is wrong with the file, the error is a ContractError, and says where the fault is."""
    file = tmp_path / "contract.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ContractError) as caught:
        read_contract(file)
    assert str(caught.value).startswith(message.format(file=file))
    assert (caught.value.file, caught.value.line, caught.value.path) == (str(file), line, path)


def test_a_contract_that_is_configured_and_missing_comes_with_a_remedy(tmp_path: Path) -> None:
    """The error says how to serve without a contract."""
    with pytest.raises(ContractError, match=r"cannot be read: .*; --contract '' serves without one$"):
        configured_contract("none.json", tmp_path)


def test_a_usual_contract_that_cannot_be_used_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A contract that nobody configured only describes the model: a broken one does not stop the server."""
    assert usual_contract(tmp_path) is None
    (tmp_path / "contract.json").write_text(BROKEN)
    with caplog.at_level(logging.WARNING):
        assert usual_contract(tmp_path) is None
    assert "contract.unreadable cause=" in caplog.text
    assert "features[0].dtype is missing" in caplog.text
