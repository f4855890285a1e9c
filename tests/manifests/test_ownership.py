"""Who owns which fields, and how the original ksonnet's become ours."""

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
    """By its name or by its annotation: one entry of operation Apply, in the version that is applied now."""
    theirs = entry(manager, "Update", union(DATA, MARK), apiVersion="extensions/v1beta1")
    others = [entry("kubectl", "Update", {"f:data": {"f:c": {}}}), entry("ks", "Update", {}, subresource="status")]
    found = taken_over(of(theirs, *others), "ks", "apps/v1")
    assert found is not None
    assert found[0] == entry("ks", "Apply", union(DATA, MARK), apiVersion="apps/v1")
    assert found[1:] == others


def test_they_join_what_we_own_already() -> None:
    """A run that was killed between two writes is completed by the next."""
    ours = entry("ks", "Apply", {"f:data": {"f:a": {}}})
    found = taken_over(of(ours, entry("ks", "Update", {"f:data": {"f:b": {}}})), "ks", "v1")
    assert found == [entry("ks", "Apply", {"f:data": {"f:a": {}, "f:b": {}}})]


@pytest.mark.parametrize(
    "entries",
    [[], [entry("ks", "Apply", DATA)], [entry("kubectl-client-side-apply", "Update", DATA)]],
    ids=["nothing", "ours", "kubectl's"],
)
def test_nothing_else_is_taken(entries: list[Object]) -> None:
    """What others own stays theirs; without anything of the original's there is nothing to do."""
    assert taken_over(of(*entries), "ks", "v1") is None


def test_what_nobody_owned_is_ours_as_far_as_we_applied_it() -> None:
    """What was there before the server kept books is not held by that any more; the rest of it stays."""
    ours, old = entry("ks", "Apply", {"f:data": {"f:a": {}}}), entry("before-first-apply", "Update", DATA)
    found = taken_over(of(ours, old), "ks", "v1")
    assert found == [ours, old | {"fieldsV1": {"f:data": {".": {}, "f:b": {}}}}]
    assert taken_over(of(*found), "ks", "v1") is None
    whole = entry("before-first-apply", "Update", {"f:data": {".": {}, "f:a": {}}})
    assert taken_over(of(ours, whole), "ks", "v1") == [ours]


def kept(value: Object) -> str:
    text = base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()
    return json.dumps({"pristine": text})


def original(was: Object, now: Object, *entries: Object) -> Object:
    found = of(*entries, **now)
    found["metadata"]["annotations"] = {PRISTINE: kept(was)}
    return found


def test_what_only_the_annotation_remembers_is_abandoned() -> None:
    """Fields and items that the original applied and the source has no longer, unless somebody owns them by now."""
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
    found = abandoned(live, source, "ks")
    assert [pointer for pointer, _ in found] == [
        "/spec/list/2",  # the later item first: the first keeps its place
        "/spec/list/1/v",
        "/spec/b~1c",
        "/spec/a",
        "/metadata/annotations/ksonnet.io~1managed",
    ]
    assert [change.path for _, change in found][:2] == ['.spec.list[name="y"]', '.spec.list[name="x"].v']


@pytest.mark.parametrize("annotation", ["", "{}", '{"pristine": "!"}', '{"pristine": "aGk="}', "[1]", "null"])
def test_a_damaged_annotation_is_no_memory(annotation: str) -> None:
    """Then only the annotation itself goes."""
    live = of()
    live["metadata"]["annotations"] = {PRISTINE: annotation}
    assert pristine(live) is None
    assert [pointer for pointer, _ in abandoned(live, {}, "ks")] == ["/metadata/annotations/ksonnet.io~1managed"]


def test_what_is_owned_is_picked_out_of_the_object() -> None:
    """Fields, items by key, by value and by place; a field without anything below it stands for all of it."""
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
    """Our entry, the original's, or its annotation; a label or another manager says nothing."""
    assert is_applied(of(entry("ks", "Apply", {})), "ks")
    assert is_applied(of(entry("ks", "Update", {})), "ks")
    assert is_applied(original({}, {}), "ks")
    assert not is_applied(of(entry("kubectl", "Apply", DATA), entry("ks", "Update", {}, subresource="scale")), "ks")


def test_sets_of_fields_add_and_subtract() -> None:
    """What is in both is in the sum once and in the difference not at all; the holder goes with its last field."""
    first: Object = {"f:a": {".": {}, "f:b": {}}, "f:c": {}}
    assert union(first, {"f:a": {"f:d": {}}}) == {"f:a": {".": {}, "f:b": {}, "f:d": {}}, "f:c": {}}
    assert minus(first, {"f:a": {"f:b": {}}}) == {"f:c": {}}
    assert minus(first, {"f:c": {}}) == {"f:a": {".": {}, "f:b": {}}}
    assert minus(first, first) == {}
