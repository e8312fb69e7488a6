"""A report of wrk or h2load is believed only when the bytes agree with it."""

import json

import pytest

from benchmarks.load.generators import Sample, read_h2load, read_wrk

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


def test_latencies_of_a_lonely_stream_come_from_the_log() -> None:
    log = "".join(f"17\t200\t{microseconds}\n" for microseconds in range(1, 1001))
    sample = read_h2load(report(1000, 0, 1000 * FRAMED), ANSWER, log)
    assert sample.p50_ms == pytest.approx(0.5, abs=0.01)
    assert sample.p99_ms == pytest.approx(0.99, abs=0.01)


def wrk(requests: int, size: int, errors: int) -> str:
    told = {"requests": requests, "bytes": size, "errors": errors, "duration_us": 2_000_000}
    return f"Running 2s test\n{json.dumps({**told, 'p50_us': 250, 'p99_us': 900})}\n"


def test_reads_what_our_script_adds_to_wrk() -> None:
    assert read_wrk(wrk(100, 100 * 350, 0), 200) == Sample(100, 50.0, 0.25, 0.9)


@pytest.mark.parametrize(
    ("requests", "size", "errors", "reason"),
    [
        (100, 100 * 350, 2, "2 HTTP requests failed beside 100"),
        (0, 0, 0, "no HTTP request was answered"),
        (100, 100 * 150, 0, "some are not the right one"),
    ],
)
def test_refuses_failed_missing_and_short_answers(requests: int, size: int, errors: int, reason: str) -> None:
    with pytest.raises(RuntimeError, match=reason):
        read_wrk(wrk(requests, size, errors), 200)
