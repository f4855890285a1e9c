"""Calls run one at a time: in the loop while they are short, in the thread while they are not."""

from collections.abc import Callable

from scorekit.errors import RequestError
from scorekit.inference.executor import SLOW_S, Executor
from scorekit.testing import ManualLoop


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Task:
    """A call that takes ``seconds`` of the clock."""

    def __init__(self, name: str, log: list[str], clock: Clock, seconds: float = 0.0, wanted: bool = True) -> None:
        self.name, self.log, self.clock, self.seconds, self.wanted = name, log, clock, seconds, wanted

    def begin(self) -> bool:
        return self.wanted

    def drop_abandoned(self) -> bool:
        return not self.wanted

    def run(self) -> None:
        self.clock.now += self.seconds
        self.log.append(f"run {self.name}")

    def finish(self) -> None:
        self.log.append(f"finish {self.name}")

    def give_up(self, why: RequestError) -> None:
        self.log.append(f"give up {self.name}: {type(why).__name__}")


class ByHand:
    """A thread whose work is done when the test says so."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.work: list[tuple[Callable[[], None], Callable[[float], None]]] = []

    def run(self, work: Callable[[], None], done: Callable[[float], None], /) -> None:
        self.work.append((work, done))

    def do(self) -> None:
        work, done = self.work.pop(0)
        began = self.clock()
        work()
        done(self.clock() - began)


class Bench:
    def __init__(self, mean_s: float = 0.0) -> None:
        self.log: list[str] = []
        self.clock, self.loop = Clock(), ManualLoop()
        self.thread = ByHand(self.clock)
        self.seen: list[float] = []
        self.executor = Executor(self.loop, self.thread, observe=self.seen.append, clock=self.clock, mean_s=mean_s)

    def task(self, name: str, seconds: float = 0.0, wanted: bool = True) -> Task:
        return Task(name, self.log, self.clock, seconds, wanted)


def test_a_short_call_is_over_when_it_has_entered() -> None:
    """A short call waits neither for a turn of the loop nor for a thread."""
    bench = Bench()
    bench.executor.submit(bench.task("a", 0.0001))
    assert bench.log == ["run a", "finish a"]
    assert bench.thread.work == []
    assert bench.loop.run_once() == 0


def test_a_turn_of_the_loop_is_not_filled_with_calls() -> None:
    """After its slice of a turn the executor waits for the next turn, so that connections are served in between."""
    bench = Bench()
    for name in "abcdefghijkl":
        bench.executor.submit(bench.task(name, 0.0009))
    assert bench.log[-1] == "finish f"
    bench.loop.run_once()
    assert bench.log[-1] == "finish l"


def test_slow_calls_move_to_the_thread_and_back() -> None:
    """A mean above one millisecond moves the calls to the thread, and one below half a millisecond back to the loop."""
    bench = Bench()
    bench.executor.submit(bench.task("slow", 0.02))
    assert bench.executor.in_thread
    assert bench.executor.mean_s > SLOW_S
    bench.executor.submit(bench.task("b"))
    assert bench.log[-1] == "finish slow"  # only handed over
    bench.thread.do()
    assert bench.log[-1] == "finish b"
    for _ in range(20):
        bench.executor.submit(bench.task("c"))
        if bench.thread.work:
            bench.thread.do()
        bench.loop.run_once()
    assert not bench.executor.in_thread
    assert len(bench.seen) == 22


def test_a_model_known_to_be_slow_begins_in_the_thread() -> None:
    """The duration measured at start-up decides where the first request runs."""
    bench = Bench(mean_s=0.1)
    bench.executor.submit(bench.task("a"))
    assert bench.log == []
    assert len(bench.thread.work) == 1


def test_one_call_at_a_time_in_order_but_for_the_urgent() -> None:
    """While the thread runs a task the others wait; an urgent task goes before them, an unwanted one is skipped."""
    bench = Bench(mean_s=0.1)
    for name in "ab":
        bench.executor.submit(bench.task(name, 0.1))
    bench.executor.submit(bench.task("gone", wanted=False))
    bench.executor.submit(bench.task("health", 0.1), first=True)
    assert bench.executor.waiting == 3
    while bench.thread.work:
        assert len(bench.thread.work) == 1
        bench.thread.do()
        bench.loop.run_once()
    assert bench.log == ["run a", "finish a", "run health", "finish health", "run b", "finish b"]


def test_a_task_that_enters_another_from_its_end_does_not_nest() -> None:
    """A task that is submitted while another finishes waits behind those that waited before."""
    bench = Bench()
    first = bench.task("a")
    second = bench.task("b")
    finish = first.finish

    def ask_again() -> None:
        bench.executor.submit(second)
        finish()

    first.finish = ask_again  # type: ignore[method-assign]
    bench.executor.submit(first)
    assert bench.log == ["run a", "finish a", "run b", "finish b"]


def test_a_thread_that_does_not_come_back_is_given_up() -> None:
    """The hanging call fails with a deadline, others may be sent again, and a late end of the call is ignored."""
    bench = Bench(mean_s=0.1)
    for name in "abc":
        bench.executor.submit(bench.task(name, 0.1, wanted=name != "b"))
    bench.clock.now += 7
    assert bench.executor.running_s == 7
    bench.executor.give_up()
    bench.executor.submit(bench.task("d"))
    assert bench.log == ["give up a: DeadlineExceeded", "give up c: Overloaded", "give up d: Overloaded"]
    assert bench.executor.running_s == 0
    bench.thread.do()
    assert bench.log[3:] == ["run a"]
    assert bench.thread.work == []


def test_a_wait_is_told_by_the_pace_and_not_by_the_calls_alone() -> None:
    """If calls of 0.1 s begin every 0.3 s, as the loop is busy in between, the expected wait behind three is 0.9 s."""
    bench = Bench(mean_s=0.1)
    assert bench.executor.wait_s == 0
    for _ in range(104):
        bench.executor.submit(bench.task("a", 0.1))
    for _ in range(100):
        work, done = bench.thread.work.pop()
        work()
        bench.clock.now += 0.2
        done(0.1)
    assert bench.executor.waiting == 3
    assert abs(bench.executor.wait_s - 0.9) < 0.01
