"""A first request to a model, as it is printed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lifecycle.cli.example import body, command, program
from tests.lifecycle.cli.conftest import Run

INPUTS = [
    {"name": "owner's country", "datatype": "BYTES", "shape": [-1, 1]},
    {"name": "amount", "datatype": "FP32", "shape": [-1, 2]},
    {"name": "known", "datatype": "BOOL", "shape": [-1]},
]


def test_a_request_has_the_names_types_and_shapes_of_the_model() -> None:
    tensors = body(INPUTS)["inputs"]
    assert [tensor["shape"] for tensor in tensors] == [[1, 1], [1, 2], [1]]
    assert [tensor["data"] for tensor in tensors] == [["text"], [0.5, 0.5], [True]]


def test_a_shell_passes_the_request_on_as_it_is(tmp_path: Path) -> None:
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/sh\nprintf "%s\\n" "$4" "$6"\n')
    curl.chmod(0o755)
    text = command("fraud", INPUTS, "http://localhost:8000", identity=True)
    environment = {"PATH": f"{tmp_path}:/bin:/usr/bin", "HEADRACE_KEY": "hr_1"}
    said = subprocess.run(["sh", "-ec", text], env=environment, capture_output=True, text=True, check=True)
    url, sent = said.stdout.split("\n", 1)
    assert url == "http://localhost:8000/v2/models/fraud/infer"
    assert json.loads(sent) == body(INPUTS)


def test_the_program_builds_its_request(tmp_path: Path) -> None:
    text = program("fraud", INPUTS, "localhost:8000", tls=False, identity=False)
    built = text.split("answer = ")[0] + "print([(i.name(), i.shape(), i.datatype()) for i in inputs])"
    said = subprocess.run([sys.executable, "-c", built], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("[(\"owner's country\", [1, 1], 'BYTES'), ('amount', [1, 2], 'FP32')")


def test_where_callers_show_certificates_the_request_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CA", "CERT", "KEY"):
        monkeypatch.setenv(f"HEADRACE_TLS_{name}", f"/tls/{name}.pem")
    sent = command("fraud", INPUTS, "https://localhost:8000", identity=False)
    files = '--cacert "$HEADRACE_TLS_CA" --cert "$HEADRACE_TLS_CERT" --key "$HEADRACE_TLS_KEY"'
    assert sent.startswith(f"curl -s {files} https://localhost:8000/")
    text = program("fraud", INPUTS, "localhost:8000", tls=True, identity=False)
    built = text.split("client = ")[0] + "print(files)"
    said = subprocess.run([sys.executable, "-c", built], capture_output=True, text=True, check=True)
    assert "'certfile': '/tls/CERT.pem'" in said.stdout
    assert "ssl=True, ssl_options=files" in text
    assert "cert" not in command("fraud", INPUTS, "http://localhost:8000", identity=False)


def test_a_model_without_traffic_says_what_gives_it_some(run: Run) -> None:
    run("model", "register", "fraud", "v1.onnx")
    refused = run("model", "example", "fraud")
    assert (refused.code, "`headrace version deploy fraud VERSION`" in refused.err) == (1, True)
    run("version", "deploy", "fraud", 1)
    assert ":8000/v2/models/fraud/infer" in run("model", "example", "fraud").out
    assert run("model", "example", "fraud", "--json").json["inputs"][0]["shape"][0] == 1
