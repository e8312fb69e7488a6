"""Fills a home's registry with many models, each of several versions that share its traffic.

Written as the controller would write it, without a sandbox's second per version: every artifact is a file of
its own, with its own digest.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import onnx

from benchmarks.load.question import Question
from gateway.core.signature import Signature
from gateway.runtime.signature import signature_of
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.config import LifecycleConfig
from lifecycle.core.stages import Stage
from lifecycle.core.version import Model, Version
from lifecycle.ports import Entry

ACTOR = "benchmark"


def name_of(number: int) -> str:
    return f"model-{number:05}"


def fill(config: LifecycleConfig, question: Question, models: int, versions: int) -> None:
    """Register models `name_of(0)` and on, their traffic split evenly among their versions."""
    artifacts = FileArtifacts(config.artifacts_uri, config.gateway.home / "cache")
    store = SqlStore(config.store_url)
    graph = onnx.load(question.artifact)
    signature = signature_of(question.artifact.read_bytes())
    try:
        for number in range(models):
            made = list(_versions(artifacts, graph, signature, name_of(number), versions))
            weights = tuple((version.number, 100.0 / versions) for version in made)
            model = Model(name_of(number), 1, 0.0, champion=1, weights=weights)
            store.commit(Entry(ACTOR, "model.added", model.name), model, *made)
    finally:
        store.close()


def _versions(
    artifacts: FileArtifacts, graph: onnx.ModelProto, signature: Signature, model: str, versions: int
) -> Iterator[Version]:
    for number in range(1, versions + 1):
        graph.doc_string = f"{model} version {number}"
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            file.write(graph.SerializeToString())
            file.flush()
            uri, digest = artifacts.put(Path(file.name))
        yield Version(model, number, Stage.SERVING, uri, digest, signature, ACTOR, 0.0)
