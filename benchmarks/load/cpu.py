"""Processor time by thread, from /proc: what each thread of some processes used between two looks (Linux)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
LOOP = "loop"

# What a command line says of its process, first match first.
KINDS = (
    ("ServeReplica", "worker"),
    ("haproxy", "edge"),
    ("ray::Lifecycle", "controller"),
    ("ServeController", "Ray"),
    ("gcs_server", "Ray"),
    ("raylet", "Ray"),
    ("/ray/", "Ray"),
    ("ray::", "Ray"),
    ("-m lifecycle", "node"),
)


@dataclass(frozen=True, slots=True)
class Use:
    """Nanoseconds on a processor (user and system) and ready but waiting for one; and how often it slept."""

    user: float = 0.0
    system: float = 0.0
    waiting: float = 0.0
    sleeps: float = 0.0

    @property
    def total(self) -> float:
        return self.user + self.system

    def __add__(self, other: "Use") -> "Use":
        return Use(
            self.user + other.user,
            self.system + other.system,
            self.waiting + other.waiting,
            self.sleeps + other.sleeps,
        )

    def over(self, requests: float) -> "Use":
        return Use(
            self.user / requests, self.system / requests, self.waiting / requests, self.sleeps / requests
        )


@dataclass(frozen=True, slots=True)
class Count:
    """A thread's counters since it began, as the kernel keeps them."""

    run_ns: int
    waiting_ns: int
    user_ticks: int
    system_ticks: int
    sleeps: int

    def since(self, before: "Count | None") -> Use:
        """What was used between two looks. Ticks are coarse, so they only divide the exact run time."""
        before = before or Count(0, 0, 0, 0, 0)
        run = self.run_ns - before.run_ns
        user, system = self.user_ticks - before.user_ticks, self.system_ticks - before.system_ticks
        share = user / (user + system) if user + system else 1.0
        return Use(
            user=run * share,
            system=run * (1 - share),
            waiting=self.waiting_ns - before.waiting_ns,
            sleeps=self.sleeps - before.sleeps,
        )


@dataclass(frozen=True, slots=True, order=True)
class Thread:
    """Which thread: of what kind of process, which process and thread, and its name."""

    kind: str
    process: int
    id: int
    name: str


Counts = Mapping[Thread, Count]


def look(processes: Iterable[int]) -> Counts:
    """Every thread of the processes, now. Those that end meanwhile are left out."""
    counts = {}
    for process in processes:
        try:
            command = (PROC / str(process) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            tasks = list((PROC / str(process) / "task").iterdir())
        except OSError:
            continue
        for task in tasks:
            try:
                name = thread_name((task / "comm").read_text())
                counts[Thread(kind(command), process, int(task.name), name)] = read_count(
                    (task / "schedstat").read_text(),
                    (task / "stat").read_text(),
                    (task / "status").read_text(),
                )
            except OSError:
                continue
    return counts


def kind(command: str) -> str:
    """What a process is to a reader: a worker, the edge; else the file or module that it runs."""
    for part, name in KINDS:
        if part in command:
            return name
    words = command.split()
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1].rpartition(".")[2]
    return Path(words[0]).name if words else "gone"


def thread_name(comm: str) -> str:
    """Python's threads bear the name that their process had when they began."""
    name = comm.strip()
    return "other Python threads" if name.startswith(("ray::", "python")) else name


def read_count(schedstat: str, stat: str, status: str) -> Count:
    """A thread's counters from the three files of /proc that hold them."""
    run, waiting, _ = schedstat.split()
    # The name in brackets may hold spaces and brackets; fields are counted from the last one.
    fields = stat.rpartition(")")[2].split()
    sleeps = next(line for line in status.splitlines() if line.startswith("voluntary_ctxt_switches"))
    return Count(int(run), int(waiting), int(fields[11]), int(fields[12]), int(sleeps.split()[1]))


def used(before: Counts, after: Counts) -> dict[tuple[str, str], Use]:
    """Use by kind of process and name of thread. A process's busiest thread is its `loop`."""
    uses = {thread: count.since(before.get(thread)) for thread, count in after.items()}
    busiest: dict[int, Thread] = {}
    for thread, use in uses.items():
        rival = busiest.get(thread.process)
        if rival is None or use.total > uses[rival].total:
            busiest[thread.process] = thread
    summed: dict[tuple[str, str], Use] = {}
    for thread, use in uses.items():
        name = LOOP if busiest[thread.process] == thread else thread.name
        summed[thread.kind, name] = summed.get((thread.kind, name), Use()) + use
    return summed
