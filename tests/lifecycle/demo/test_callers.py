"""The demo's callers get right answers from a real gateway, and do not take a wrong one for right."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from gateway.config import GatewayConfig
from gateway.local import running, table_of
from lifecycle.demo.callers import Answer, Caller, GrpcCaller, HttpBinaryCaller, HttpJsonCaller
from lifecycle.demo.scanner import world
from lifecycle.demo.versions import FIRST_RECIPE, train, write_bad
from tests.ports import free_port


async def test_three_kinds_of_client_read_the_same_answer(tmp_path: Path) -> None:
    scans = world(np.random.default_rng(7)).unseen
    good, _ = train("digits", FIRST_RECIPE, scans, tmp_path)
    model, _ = write_bad(good, scans, tmp_path)
    ink = scans.images.sum(axis=1)
    light, dark = scans.images[int(ink.argmin())], scans.images[int(ink.argmax())]
    config = GatewayConfig(home=tmp_path, http_port=free_port(), grpc_port=free_port())
    http, grpc = f"127.0.0.1:{config.http_port}", f"127.0.0.1:{config.grpc_port}"

    def ask() -> list[list[Answer]]:
        callers: list[Caller] = [
            HttpJsonCaller(http, "digits"),
            HttpBinaryCaller(http, "digits"),
            GrpcCaller(grpc, "digits"),
        ]
        try:
            return [[caller.infer(image) for image in (light, dark)] for caller in callers]
        finally:
            for caller in callers:
                caller.close()

    async with running(config, table_of({"digits": model})):
        answers = await asyncio.to_thread(ask)
    assert [[(a.version, a.label, a.finite) for a in pair] for pair in answers] == [
        [(1, 1, True), (1, 1, False)]
    ] * 3
    ids = [answer.prediction_id for pair in answers for answer in pair]
    assert len(set(ids)) == 6


async def test_a_model_that_is_not_there_raises(tmp_path: Path) -> None:
    config = GatewayConfig(home=tmp_path, http_port=free_port(), grpc_port=free_port())

    def ask() -> None:
        caller = HttpJsonCaller(f"127.0.0.1:{config.http_port}", "digits")
        try:
            with pytest.raises(ValueError, match="status 404"):
                caller.infer(np.zeros(64, np.float32))
        finally:
            caller.close()

    async with running(config, table_of({})):
        await asyncio.to_thread(ask)
