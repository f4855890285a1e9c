"""The loop of both waits, with a clock that does not wait."""

from scorekit.deploy import Waiter, until_gone, until_ready

from .conftest import Object, deployment
from .fakes import FakeClock, FakeCluster

READY: Object = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}


def web(uid: str = "1", **status: object) -> Object:
    value = deployment()
    value["metadata"] |= {"namespace": "ns", "generation": 1, "uid": uid}
    return value | {"status": status}


def waiter(clock: FakeClock, pending: list[list[tuple[str, str]]], limit_s: float = 60.0) -> Waiter:
    return Waiter(clock=clock, limit_s=limit_s, pending=lambda each: pending.append(list(each)))


def test_it_looks_twice_a_second_until_everything_is_ready() -> None:
    """Each round reports what is pending, and the wait ends with the round in which nothing is."""
    cluster, clock, ready = FakeCluster(), FakeClock(), list[str]()
    pending: list[list[tuple[str, str]]] = []
    cluster.put("Deployment", "web", web(), web(**READY | {"availableReplicas": 0}), web(**READY))
    result = until_ready(cluster, [web(), {"kind": "ConfigMap"}], waiter(clock, pending), ready.append)
    assert (result.failed, result.late) == ({}, {})
    assert (ready, clock.seconds) == (["Deployment ns/web"], 1.0)
    assert [[words for _, words in each] for each in pending] == [
        ["its controller has not seen it yet"],
        ["0 of 1 available"],
        [],
    ]


def test_an_object_that_disappears_has_failed() -> None:
    """A workload that somebody deletes ends the wait at once."""
    cluster, clock = FakeCluster(), FakeClock()
    cluster.put("Deployment", "web", None)
    result = until_ready(cluster, [web()], waiter(clock, []), lambda title: None)
    assert (dict(result.failed), clock.seconds) == ({"Deployment ns/web": "it was deleted"}, 0.0)


def test_the_limit_ends_the_wait() -> None:
    """What is pending when the time is over is late, with how far it is."""
    cluster, clock = FakeCluster(), FakeClock()
    cluster.put("Deployment", "web", web())
    result = until_ready(cluster, [web()], waiter(clock, [], 2.0), lambda title: None)
    assert (dict(result.late), clock.seconds) == ({"Deployment ns/web": "its controller has not seen it yet"}, 2.0)


def test_another_object_of_the_same_name_is_not_waited_for() -> None:
    """An object is gone if its uid is, whatever has its name by then."""
    cluster, clock = FakeCluster(), FakeClock()
    cluster.put("Deployment", "web", web(), web("2"))
    resource = cluster.resource("apps/v1", "Deployment")
    assert resource
    result = until_gone(cluster, [(resource, web())], waiter(clock, []))
    assert (result.late, clock.seconds) == ({}, 0.5)
