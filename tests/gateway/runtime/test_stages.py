from gateway.core.figures import Run
from gateway.runtime.stages import StageLog

RUN = Run((1,), 2, 3, 4)


def test_runs_are_told_once_under_their_version() -> None:
    log = StageLog()
    log.of(("m", 1))(RUN)
    log.of(("m", 2))(RUN)
    assert list(log.drain()) == [(("m", 1), RUN), (("m", 2), RUN)]
    assert list(log.drain()) == []
