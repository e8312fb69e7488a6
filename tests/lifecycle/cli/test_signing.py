"""A package is signed on the command line and registered with its signature."""

from pathlib import Path

import pytest

from lifecycle.cli.main import main
from lifecycle.core.governance.policy import Policy
from tests.lifecycle.cli.conftest import Said
from tests.lifecycle.live import serving
from tests.lifecycle.signer import Signer


def test_a_model_that_wants_signatures_takes_signed_packages_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: object) -> Said:
        capsys.readouterr()
        return Said(main([str(word) for word in words]), *capsys.readouterr())

    ann, eve = Signer(tmp_path, "ann"), Signer(tmp_path, "eve")
    policy = Policy(signed=True, trusted=(str(ann.public),))
    with serving(tmp_path / "home", policy=policy) as live:
        monkeypatch.setenv("HEADRACE_URL", live.url)
        unsigned = run("model", "register", "fraud", "v1.onnx")
        assert (unsigned.code, "must be signed" in unsigned.err) == (1, True)
        assert run("model", "sign", "v1.onnx", "--key", eve.key, "--output", "eve.sig").code == 0
        foreign = run("model", "register", "fraud", "v1.onnx", "--signature", "eve.sig")
        assert (foreign.code, "none of the trusted keys" in foreign.err) == (1, True)
        assert run("model", "sign", "v1.onnx", "--key", ann.key).code == 0
        other = run("model", "register", "fraud", "v2.onnx", "--signature", "v1.onnx.sig")
        assert (other.code, "refused" in other.err) == (1, True)
        said = run("model", "register", "fraud", "v1.onnx", "--signature", "v1.onnx.sig")
        assert (said.code, said.err) == (0, "")
        assert "signed by ann.pub" in run("version", "show", "fraud", 1).out
        assert "ann.pub" in run("version", "card", "fraud", 1).out
        kinds = [record["kind"] for record in run("audit", "fraud", "--json").json]
        assert kinds[:4] == ["version.refused"] * 3 + ["version.registered"]
