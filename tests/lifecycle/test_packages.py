"""Bad model files against the admin API as it is: real store, real sandbox, models that mean it.

Each number is a row of the project's list of bad inputs. Whatever comes, the answer is a small error, the
refusal is in the ledger, and the version that serves goes on serving.
"""

import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper

from lifecycle.adapters.sandbox.process import ProcessSandbox
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.api.app import build as build_api
from lifecycle.core.inspection import Limits
from tests.lifecycle import evil
from tests.lifecycle.desk import in_process, open_desk

Write = Callable[..., Path]
VERSIONS = "/v1/models/fraud/versions"
LIMITS = Limits(cpu_seconds=3, wall_seconds=20, max_nodes=500, max_depth=4, max_bytes=200_000)


@dataclass(frozen=True, slots=True)
class House:
    """The admin API over `fraud`, whose version 1 has all traffic."""

    http: httpx.AsyncClient
    store: SqlStore
    home: Path

    async def register(self, artifact: bytes, number: str = "", **rows: bytes) -> httpx.Response:
        files = {"artifact": ("model.onnx", artifact)} | {part: ("rows", data) for part, data in rows.items()}
        return await self.http.post(VERSIONS, files=files, data={"number": number} if number else {})

    async def refuses(self, artifact: bytes, *words: str, status: int = 422) -> None:
        before = (await self.http.get("/v1/models/fraud/traffic")).json()
        seen = len(self.store.records("fraud"))
        answer = await self.register(artifact)
        assert answer.status_code == status, answer.text
        error = answer.json()["error"]
        assert error["code"] == ("UNSUPPORTED" if status == 415 else "REFUSED")
        assert all(word in error["message"] for word in words), error["message"]
        assert len(answer.content) <= 1024
        assert "Traceback" not in answer.text
        assert str(self.home) not in answer.text
        assert [record.kind for record in self.store.records("fraud")[seen:]] == ["version.refused"]
        assert (await self.http.get("/v1/models/fraud/traffic")).json() == before
        assert [version.number for version in self.store.versions("fraud")] == [1]


@pytest.fixture
async def house(tmp_path: Path, linear: Write) -> AsyncIterator[House]:
    home = tmp_path / "home"
    home.mkdir()
    desk, store, _ = open_desk(home, sandbox=ProcessSandbox(), limits=LIMITS)
    async with in_process(build_api(desk)) as http:
        house = House(http, store, tmp_path)
        assert (await house.register(linear().read_bytes())).status_code == 201
        assert (await http.post(f"{VERSIONS}/1/deploy")).json()["traffic"]["weights"] == {"1": 100.0}
        yield house
    await desk.retraining.close()
    store.close()


async def test_54_files_that_are_no_whole_model(house: House, linear: Write) -> None:
    whole = linear("other.onnx", slope=2).read_bytes()
    await house.refuses(b"", "empty")
    await house.refuses(whole[:-9], "not a complete ONNX model")
    await house.refuses(b"\x08" + np.random.default_rng(1).bytes(4096), "structure")


class Planted:
    """Pickled, it would run a command wherever it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


async def test_55_pickles_are_not_even_opened(house: House, tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    torch = io.BytesIO()
    with zipfile.ZipFile(torch, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Planted(mark)))
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        await house.refuses(pickle.dumps(Planted(mark), protocol), "pickle", status=415)
    await house.refuses(torch.getvalue(), "zip", status=415)
    # The first protocols are plain text, which no first bytes tell from noise.
    await house.refuses(pickle.dumps(Planted(mark), 0), "structure")
    assert not mark.exists()


@pytest.fixture
def beside(tmp_path: Path) -> Sequence[str]:
    """Locations of weights that are really there, by every road."""
    data = tmp_path / "outside.bin"
    data.write_bytes(np.ones(3, np.float32).tobytes())
    (tmp_path / "link.bin").symlink_to(data)
    (tmp_path / "folder").symlink_to(tmp_path)
    (tmp_path / "hard.bin").hardlink_to(data)
    return (
        "../outside.bin",
        str(data),
        "link.bin",
        "folder/outside.bin",
        "/dev/zero",
        f"file://{data}",
        "hard.bin",
    )


async def test_56_57_58_weights_in_other_files(house: House, beside: Sequence[str]) -> None:
    for location in (*beside, "weights\0.bin"):
        model = evil.build(evil.ADD, initializers=(evil.external("w", location),))
        await house.refuses(model.SerializeToString(), "'w' is kept in another file")


async def test_59_offsets_and_lengths_in_other_files(house: House, beside: Sequence[str]) -> None:
    for key, value in (("offset", "-4"), ("length", "-1"), ("offset", "1000000"), ("length", "4")):
        tensor = evil.external("w", beside[-1])
        tensor.external_data.add(key=key, value=value)
        model = evil.build(evil.ADD, initializers=(tensor,))
        await house.refuses(model.SerializeToString(), "'w' is kept in another file")


async def test_60_weights_in_other_files_wherever_they_hide(house: House) -> None:
    for hide in evil.HIDDEN_DATA:
        await house.refuses(hide().SerializeToString(), "kept in another file")


async def test_61_operators_from_elsewhere(house: House) -> None:
    await house.refuses(evil.unknown_domain().SerializeToString(), "unknown domain 'evil'")
    await house.refuses(evil.compiled_context().SerializeToString(), "loads files")
    await house.refuses(b"\x7fELF" + bytes(200), "library", status=415)


def of_the_future() -> onnx.ModelProto:
    model = evil.build(evil.RELU)
    model.opset_import[0].version = 10_000
    return model


async def test_62_graphs_that_cannot_be(house: House) -> None:
    broken = (evil.cycle, evil.output_twice, of_the_future, evil.data_too_short, evil.negative_dimension)
    for make in broken:
        await house.refuses(make().SerializeToString(), "gate `")


async def test_63_a_vast_allocation_takes_only_its_own_process(house: House, tmp_path: Path) -> None:
    await house.refuses(evil.greedy(tmp_path / "greedy.onnx").read_bytes(), "gate `")


async def test_64_an_endless_loop_is_ended(house: House, tmp_path: Path) -> None:
    await house.refuses(evil.endless(tmp_path / "loop.onnx").read_bytes(), "gate `warm_up`")


async def test_65_nodes_depth_and_size_have_caps(house: House) -> None:
    many = [helper.make_node("Relu", ["x" if not i else f"t{i - 1}"], [f"t{i}"]) for i in range(600)]
    await house.refuses(evil.build(*many, evil.RELU).SerializeToString(), "more than 500 nodes")
    graph = helper.make_graph([evil.RELU], "leaf", [], [evil.info("y")])
    for _ in range(4):
        choose = helper.make_node("If", ["c"], ["y"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([choose], "branch", [], [evil.info("y")])
    nested = evil.build(helper.make_node("If", ["c"], ["y"], then_branch=graph, else_branch=graph))
    await house.refuses(nested.SerializeToString(), "nested deeper than 4")
    big = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[100_000], raw_data=bytes(400_000))
    heavy = evil.build(evil.ADD, initializers=(big,)).SerializeToString()
    await house.refuses(heavy, "the limit is 200000")


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, bytes(10_000_000))
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        link = tarfile.TarInfo("model.onnx")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return file.getvalue()


async def test_66_archives_are_never_unpacked(house: House) -> None:
    for archive in (zipped("model.onnx"), zipped("../../model.onnx"), tarred()):
        await house.refuses(archive, "archive", status=415)


def swap(folder: Path, content: bytes, other: bytes) -> None:
    """Put something else into every stored copy of a file."""
    for path in folder.rglob("*"):
        if path.is_file() and path.read_bytes() == content:
            path.chmod(0o600)
            path.write_bytes(other)


async def test_67_a_file_swapped_after_it_was_judged_is_not_served(house: House, linear: Write) -> None:
    other = linear("other.onnx", slope=2)
    assert (await house.register(other.read_bytes())).status_code == 201
    swap(house.home / "home", other.read_bytes(), linear("third.onnx", slope=3).read_bytes())
    answer = await house.http.post(f"{VERSIONS}/2/validate")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "REFUSED")
    assert "no longer matches its digest" in answer.text
    assert (await house.http.get("/v1/models/fraud")).json()["champion"] == 1


async def test_68_a_number_stays_with_its_file(house: House, linear: Write) -> None:
    answer = await house.register(linear("other.onnx", slope=2).read_bytes(), number="1")
    assert answer.status_code == 409
    assert "version 1 of 'fraud' is another file" in answer.text


async def test_69_a_changed_signature_conflicts_until_it_is_declared(house: House, linear: Write) -> None:
    assert (await house.register(linear("other.onnx", output="z").read_bytes())).status_code == 201
    answer = await house.http.post(f"{VERSIONS}/2/validate")
    assert answer.status_code == 409
    assert "output 'y' of the champion is missing" in answer.text
    assert (await house.http.get(f"{VERSIONS}/2")).json()["stage"] == "rejected"
    assert (await house.http.get("/v1/models/fraud")).json()["champion"] == 1
    declared = await house.http.post(f"{VERSIONS}/2/validate", json={"allow_signature_change": True})
    assert declared.json()["stage"] == "approved"


def golden(path: Path, **columns: list[list[float]]) -> bytes:
    pq.write_table(pa.table({name.replace("_", "."): column for name, column in columns.items()}), path)
    return path.read_bytes()


async def test_70_nan_or_a_wrong_shape_on_golden_rows_is_rejected(
    house: House, linear: Write, tmp_path: Path
) -> None:
    rows = golden(tmp_path / "golden", x=[[1, 2, 3]], outputs_y=[[2, 4, 6]])
    good = linear("good.onnx", slope=2).read_bytes()
    assert (await house.register(good, golden=rows)).status_code == 201
    assert (await house.http.post(f"{VERSIONS}/2/validate")).json()["stage"] == "approved"
    missing = linear("nan.onnx", slope=float("nan")).read_bytes()
    narrow = [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=1)]
    wrong = evil.save(tmp_path / "shape.onnx", narrow, ["rows", "columns"]).read_bytes()
    for number, artifact in ((3, missing), (4, wrong)):
        assert (await house.register(artifact, golden=rows)).status_code == 201
        answer = await house.http.post(f"{VERSIONS}/{number}/validate", json={"allow_signature_change": True})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "REFUSED")
        assert "gate `golden`" in answer.text
        assert (await house.http.get(f"{VERSIONS}/{number}")).json()["stage"] == "rejected"
    assert (await house.http.get("/v1/models/fraud")).json()["champion"] == 1


async def test_rows_that_are_no_rows_are_refused(house: House, linear: Write) -> None:
    good = linear("good.onnx", slope=2).read_bytes()
    for part in ("golden", "reference"):
        answer = await house.register(good, "", **{part: b"PAR1 not"})
        assert answer.status_code == 422
        assert "not a Parquet file" in answer.text


async def test_people_freeze_the_rows_that_all_versions_are_judged_on(house: House, tmp_path: Path) -> None:
    path = "/v1/models/fraud/holdout"
    refused = await house.http.put(path, files={"rows": ("rows", golden(tmp_path / "few", x=[[1, 2, 3]]))})
    assert (refused.status_code, "column `label`" in refused.text) == (400, True)
    table = pa.table({"x": [[1.0, 2.0, 3.0]] * 100, "label": [1.0] * 100})
    pq.write_table(table, tmp_path / "rows")
    frozen = await house.http.put(path, files={"rows": ("rows", (tmp_path / "rows").read_bytes())})
    assert frozen.json()["holdout_digest"].startswith("sha256:")
    assert (await house.http.get("/v1/models/fraud")).json() == frozen.json()
