"""Field ownership is read from `managedFields`, and the original ksonnet's becomes ours."""

import base64
import gzip
import json
from typing import Any

import pytest

from scorekit.manifests.ownership import PRISTINE, abandoned, is_applied, minus, owned, pristine, taken_over, union

Object = dict[str, Any]
MARK: Object = {"f:metadata": {"f:annotations": {f"f:{PRISTINE}": {}}}}


def entry(manager: str, operation: str, fields: Object, **more: Any) -> Object:
    own = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "time": "T"}
    return own | {"fieldsV1": fields} | more


def of(*entries: Object, **value: Any) -> Object:
    return {"apiVersion": "v1", "kind": "K", "metadata": {"name": "n", "managedFields": list(entries)}} | value


DATA: Object = {"f:data": {".": {}, "f:a": {}, "f:b": {}}}


@pytest.mark.parametrize("manager", ["ks", "ks-0.13.1"])
def test_the_originals_entries_become_ours(manager: str) -> None:
    """Entries with the original's name or annotation become one entry of ours, in the version that is applied."""
    theirs = entry(manager, "Update", union(DATA, MARK), apiVersion="extensions/v1beta1")
    others = [entry("kubectl", "Update", {"f:data": {"f:c": {}}}), entry("ks", "Update", {}, subresource="status")]
    entries = taken_over(of(theirs, *others), "ks", "apps/v1")
    assert entries is not None
    assert entries[0] == entry("ks", "Apply", union(DATA, MARK), apiVersion="apps/v1")
    assert entries[1:] == others


def test_they_join_what_we_own_already() -> None:
    """Entries are merged into one that we have already, so that a rerun completes a run that was killed."""
    ours = entry("ks", "Apply", {"f:data": {"f:a": {}}})
    entries = taken_over(of(ours, entry("ks", "Update", {"f:data": {"f:b": {}}})), "ks", "v1")
    assert entries == [entry("ks", "Apply", {"f:data": {"f:a": {}, "f:b": {}}})]


@pytest.mark.parametrize(
    "entries",
    [[], [entry("ks", "Apply", DATA)], [entry("kubectl-client-side-apply", "Update", DATA)]],
    ids=["nothing", "ours", "kubectl's"],
)
def test_nothing_else_is_taken(entries: list[Object]) -> None:
    """Other managers keep their fields; an object without fields of the original is left alone."""
    assert taken_over(of(*entries), "ks", "v1") is None


def test_what_nobody_owned_is_ours_as_far_as_we_applied_it() -> None:
    """Fields that we apply leave the entry `before-first-apply`, and its other fields stay there."""
    ours, old = entry("ks", "Apply", {"f:data": {"f:a": {}}}), entry("before-first-apply", "Update", DATA)
    entries = taken_over(of(ours, old), "ks", "v1")
    assert entries == [ours, old | {"fieldsV1": {"f:data": {".": {}, "f:b": {}}}}]
    assert taken_over(of(*entries), "ks", "v1") is None
    whole = entry("before-first-apply", "Update", {"f:data": {".": {}, "f:a": {}}})
    assert taken_over(of(ours, whole), "ks", "v1") == [ours]


def kept(value: Object) -> str:
    text = base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()
    return json.dumps({"pristine": text})


def original(was: Object, now: Object, *entries: Object) -> Object:
    value = of(*entries, **now)
    value["metadata"]["annotations"] = {PRISTINE: kept(was)}
    return value


def test_what_only_the_annotation_remembers_is_abandoned() -> None:
    """Fields that the original applied and the source lacks are abandoned, unless somebody else owns them now."""
    was = {
        "metadata": {"name": "n", "labels": {"old": "1"}},
        "spec": {
            "a": 1,
            "b/c": 2,
            "d": {"e": 3},
            "list": [{"name": "x", "v": 1}, {"name": "y"}, {"name": "z"}],
            "whole": [1, 2],
        },
    }
    now = json.loads(json.dumps({"spec": was["spec"]}))
    now["spec"]["list"].insert(0, {"name": "theirs"})
    theirs = entry("kubectl", "Update", {"f:spec": {"f:d": {"f:e": {}}, "f:list": {'k:{"name":"z"}': {}}}})
    live = original(was, now, theirs, entry("before-first-apply", "Update", {"f:spec": {"f:a": {}}}))
    source = {"metadata": {"name": "n"}, "spec": {"d": {}, "list": [{"name": "x"}], "whole": [1]}}
    gone = abandoned(live, source, "ks")
    assert [pointer for pointer, _ in gone] == [
        "/spec/list/2",  # the later item first: the first keeps its place
        "/spec/list/1/v",
        "/spec/b~1c",
        "/spec/a",
        "/metadata/annotations/ksonnet.io~1managed",
    ]
    assert [change.path for _, change in gone][:2] == ['.spec.list[name="y"]', '.spec.list[name="x"].v']


@pytest.mark.parametrize("annotation", ["", "{}", '{"pristine": "!"}', '{"pristine": "aGk="}', "[1]", "null"])
def test_a_damaged_annotation_is_only_removed(annotation: str) -> None:
    """An annotation that cannot be read abandons no field; only the annotation itself goes."""
    live = of()
    live["metadata"]["annotations"] = {PRISTINE: annotation}
    assert pristine(live) is None
    assert [pointer for pointer, _ in abandoned(live, {}, "ks")] == ["/metadata/annotations/ksonnet.io~1managed"]


def test_what_is_owned_is_picked_out_of_the_object() -> None:
    """Owned fields and items (by key, by value, by place) are kept, with all that is below the last step."""
    fields = {
        "f:metadata": {"f:labels": {"f:mine": {}}},
        "f:spec": {
            "f:whole": {},
            "f:list": {'k:{"name":"x"}': {".": {}, "f:v": {}}, 'k:{"port":80,"protocol":"TCP"}': {".": {}}},
            "f:set": {'v:"a"': {}},
            "f:places": {"i:1": {}},
        },
    }
    live = of(
        entry("ks", "Apply", fields),
        spec={
            "whole": {"any": [1]},
            "list": [{"name": "x", "v": 1, "w": 2}, {"name": "y"}, {"port": 80}],
            "set": ["a", "b"],
            "places": ["p", "q"],
            "other": 1,
        },
    )
    live["metadata"]["labels"] = {"mine": "1", "theirs": "2"}
    assert owned(live, "ks") == {
        "apiVersion": "v1",
        "kind": "K",
        "metadata": {"name": "n", "labels": {"mine": "1"}},
        "spec": {"whole": {"any": [1]}, "list": [{"v": 1}, {"port": 80}], "set": ["a"], "places": ["q"]},
    }


def test_made_by_ks_or_not() -> None:
    """An entry of ours or of the original, or its annotation, says so; other managers do not."""
    assert is_applied(of(entry("ks", "Apply", {})), "ks")
    assert is_applied(of(entry("ks", "Update", {})), "ks")
    assert is_applied(original({}, {}), "ks")
    assert not is_applied(of(entry("kubectl", "Apply", DATA), entry("ks", "Update", {}, subresource="scale")), "ks")


def test_sets_of_fields_add_and_subtract() -> None:
    """Sets of fields add and subtract; a mapping goes with the last field below it."""
    first: Object = {"f:a": {".": {}, "f:b": {}}, "f:c": {}}
    assert union(first, {"f:a": {"f:d": {}}}) == {"f:a": {".": {}, "f:b": {}, "f:d": {}}, "f:c": {}}
    assert minus(first, {"f:a": {"f:b": {}}}) == {"f:c": {}}
    assert minus(first, {"f:c": {}}) == {"f:a": {".": {}, "f:b": {}}}
    assert minus(first, first) == {}
