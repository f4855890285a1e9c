"""ksonnet's tables (ksonnet-rules.md#commands)."""

from scorekit.cli.ks.table import as_json, as_text


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    """Headings are in capitals and underlined to their length; lines have no trailing spaces."""
    assert as_text(["name", "server"], [["default", "x"], ["d", ""]]) == (
        "NAME    SERVER\n====    ======\ndefault x\nd\n"  #
    )


def test_json_rows_are_objects_indented_by_tabs() -> None:
    """The document has `kind` and `data`; keys of a row are in lower case and sorted."""
    assert as_json("envList", ["name", "a"], [["x", "y"]]) == (
        '{\n\t"kind": "envList",\n\t"data": [\n\t\t{\n\t\t\t"a": "y",\n\t\t\t"name": "x"\n\t\t}\n\t]\n}\n'
    )
