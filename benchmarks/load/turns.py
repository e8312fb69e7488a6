"""One system's turn: started, asked every case it can run, ended. A failure is a result; it hides nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load.cases import CASES
from benchmarks.load.client import first_answer
from benchmarks.load.generators import Load, Sample, grpc_load, http_load
from benchmarks.load.peers import SYSTEMS
from benchmarks.load.question import Question
from benchmarks.load.systems import Running

WARM_UP_S = 1
START = "start"
FAILURES = (RuntimeError, ValueError, LookupError, OSError)


@dataclass(slots=True)
class Turn:
    """What one turn measured, by case; and why the rest is missing, by case or under START."""

    samples: dict[str, Sample] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def take(
    system: str, cases: Sequence[str], questions: Mapping[str, Question], seconds: int, folder: Path
) -> Turn:
    """Measure the system in those of the cases that it can run, with its files in `folder`."""
    turn = Turn()
    wanted = [name for name in cases if name in SYSTEMS[system].cases]
    models = dict.fromkeys(CASES[name].model for name in wanted)
    if not wanted:
        return turn
    try:
        with SYSTEMS[system].start([questions[model] for model in models], folder) as started:
            for name in wanted:
                try:
                    run = prepare(name, questions[CASES[name].model], started, folder)
                    run(WARM_UP_S)
                    turn.samples[name] = run(seconds)
                except FAILURES as failure:
                    turn.failures[name] = str(failure)
                if not started.alive():
                    raise RuntimeError("it ended by itself")
    except FAILURES as failure:
        turn.failures[START] = str(failure)
    return turn


def prepare(name: str, question: Question, system: Running, folder: Path) -> Callable[[int], Sample]:
    """Check the system's answer in a case. Returns what loads it for some seconds; raises one of FAILURES."""
    case = CASES[name]
    port = system.grpc_port if case.protocol == "grpc" else system.http_port
    answer = first_answer(case, question, port, system.headers, system.alive)
    body, headers = question.ask(case.protocol)
    load = Load(body, {**headers, **system.headers}, case.at_once, len(answer))
    if case.protocol == "grpc":
        return lambda seconds: grpc_load(port, load, seconds, folder)
    return lambda seconds: http_load(f"http://127.0.0.1:{port}{question.path}", load, seconds, folder)
