"""h2load's report is believed only when the bytes agree with it."""

import pytest

from benchmarks.load.generators import read_h2load

REPORT = """
finished in 2.00s, {rate} req/s, 1.21MB/s
requests: {total} total, {total} started, {total} done, {ok} succeeded, {failed} failed, 0 errored, 0 timeout
status codes: {ok} 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 1.2MB (1269012) total, 134.2KB (137432) headers (space savings 91.58%), 9.5KB ({data}) data
"""
ANSWER = 95
FRAMED = ANSWER + 5


def report(ok: int, failed: int, data: int) -> str:
    return REPORT.format(rate="500.50", total=ok + failed, ok=ok, failed=failed, data=data)


def test_reads_the_rate_of_right_answers() -> None:
    assert read_h2load(report(1001, 0, 1001 * FRAMED), ANSWER).per_second == 500.5


@pytest.mark.parametrize(
    ("ok", "failed", "data", "reason"),
    [
        (1000, 3, 1000 * FRAMED, "3 gRPC requests failed"),
        (1000, 0, 900 * FRAMED, "some are errors"),
        (1000, 0, 0, "some are errors"),
        (0, 0, 0, "0 succeeded"),
    ],
)
def test_refuses_failures_and_errors_in_disguise(ok: int, failed: int, data: int, reason: str) -> None:
    with pytest.raises(RuntimeError, match=reason):
        read_h2load(report(ok, failed, data), ANSWER)


def test_refuses_a_report_it_cannot_read() -> None:
    with pytest.raises(RuntimeError, match="lacks"):
        read_h2load("nothing", ANSWER)
