"""One target under atheris, guided by coverage: python -m tests.fuzz.guided TARGET SECONDS"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from tests.fuzz.seeds import FOUND, seeds
    from tests.fuzz.targets import TARGETS

_KEPT = Path(".fuzz")
_LIMITS = ("-max_len=8192", "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=0")


def main(target: str, seconds: str) -> None:
    """Never returns: libFuzzer ends the process, with 0 if no rule was broken."""
    kept, started, found = _KEPT / target, _KEPT / "seeds" / target, FOUND / target
    for folder in (kept, started, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (started / str(number)).write_bytes(seed)
    ends = (f"-max_total_time={seconds}", f"-artifact_prefix={found}/")
    atheris.Setup([sys.argv[0], str(kept), str(started), *ends, *_LIMITS], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
