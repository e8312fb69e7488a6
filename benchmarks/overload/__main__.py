"""What is left of the goodput when three times as many requests come as can be answered?

    python -m benchmarks.overload [--seconds 8] [--times 3]

A model of tens of milliseconds, with limits: callers that wait for their answers find the peak, before and
after; between, requests come at a multiple of it, whatever becomes of them. What cannot be answered must be
refused, with 503 or RESOURCE_EXHAUSTED, and at once. Exits 1 if goodput falls below nine tenths of the peak,
or if anything but a refusal goes wrong. The callers share the cores, so the model is dear enough for them not
to matter; what they took is told.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import numpy as np
import uvloop
from onnx import TensorProto, helper, numpy_helper

from benchmarks.load.question import Question
from benchmarks.overload.callers import Call, GrpcCalls, HttpCalls, Seen, closed, open_
from benchmarks.up import Ports, up
from lifecycle.client import Client

MODEL = "dense"
NARROW, WIDE, LAYERS = 16, 512, 960
CONCURRENCY, QUEUE = 8, 8
"""Of each worker."""
CALLERS = 16
LEAST = 0.9


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--times", type=float, default=3.0, help="offered load, in peaks")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, up(Path(folder) / "home") as ports:
        question = dense(Path(folder) / f"{MODEL}.onnx")
        with Client(ports.admin_url) as client:
            client.register(MODEL, question.artifact)
            client.deploy(MODEL, 1)
            client.set_limits(MODEL, max_concurrency=CONCURRENCY, max_queue=QUEUE)
        passed = uvloop.run(compare(question, ports, options))
    return 0 if passed else 1


async def compare(question: Question, ports: Ports, options: argparse.Namespace) -> bool:
    calls: dict[str, HttpCalls | GrpcCalls] = {
        "HTTP JSON": HttpCalls(ports.http, question.path, question.ask("json")[0]),
        "gRPC": GrpcCalls(ports.grpc, question.ask("grpc")[0]),
    }
    passed = True
    print(
        "| protocol | peak/s | offered/s | answered/s | of peak | answer p99 | refused | refusal p50, p99 "
        "| callers |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, call in calls.items():
        peak, over = await measured(call, options.seconds, options.times)
        passed = passed and over.goodput >= LEAST * peak and not over.failures
        print(f"| {name} | {row(peak, over, options.times)} |", flush=True)
        for failure in over.failures[:3]:
            print(f"failed: {failure}", file=sys.stderr)
        await call.close()
    return passed


async def measured(call: Call, seconds: float, times: float) -> tuple[float, Seen]:
    """The peak, in answers per second, and what was seen beyond it."""
    await closed(call, CALLERS, seconds / 4)
    before = await closed(call, CALLERS, seconds / 2)
    over = await open_(call, before.goodput * times, seconds)
    await asyncio.sleep(1.0)
    after = await closed(call, CALLERS, seconds / 2)
    return (before.goodput + after.goodput) / 2, over


def row(peak: float, over: Seen, times: float) -> str:
    total = len(over.answered) + len(over.refused)
    return " | ".join(
        (
            f"{peak:.0f}",
            f"{peak * times:.0f}",
            f"{over.goodput:.0f}",
            f"{over.goodput / peak:.1%}",
            f"{over.ms('answered', 0.99):.0f} ms",
            f"{len(over.refused) / max(total, 1):.0%}",
            f"{over.ms('refused', 0.5):.1f}, {over.ms('refused', 0.99):.1f} ms",
            f"{over.cpu_s / over.seconds:.2f} cores",
        )
    )


def dense(path: Path) -> Question:
    """Products with identities, `x` FP32 [1, 16] -> `y` the same, written to `path`; no rows to join."""
    widths = [NARROW, *[WIDE] * (LAYERS + 1), NARROW]
    names = ["x", *(f"h{number}" for number in range(LAYERS + 1)), "y"]
    nodes = [
        helper.make_node("MatMul", [names[at], f"{widths[at]}to{widths[at + 1]}"], [names[at + 1]])
        for at in range(len(widths) - 1)
    ]
    sizes = ((NARROW, WIDE), (WIDE, WIDE), (WIDE, NARROW))
    graph = helper.make_graph(
        nodes,
        MODEL,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, NARROW])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, NARROW])],
        [numpy_helper.from_array(np.eye(*size, dtype=np.float32), "{}to{}".format(*size)) for size in sizes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    row = np.linspace(0, 1, NARROW, dtype=np.float32).reshape(1, NARROW)
    return Question(MODEL, path, "x", row, "y", row)


if __name__ == "__main__":
    sys.exit(main())
