"""How a model is served, by `headrace model`, against a server."""

from tests.lifecycle.cli.conftest import Run


def test_a_model_is_placed_when_it_is_new_and_moved_by_a_command(run: Run) -> None:
    assert run("model", "register", "fraud", "v1.onnx", "--placement", "pool", "--deploy").code == 0
    refused = run("model", "register", "fraud", "v2.onnx", "--placement", "inline")
    assert (refused.code, "`headrace model placement fraud inline` moves it" in refused.err) == (1, True)
    assert run("model", "placement", "fraud", "inline").code == 0
    assert run("model", "show", "fraud", "--json").json["placement"] == "inline"
    assert "inline" in run("model", "placement", "fraud").out
    assert run("model", "placement", "fraud", "somewhere").code == 2


def test_a_cache_is_set_and_told(run: Run) -> None:
    run("model", "register", "fraud", "v1.onnx", "--deploy")
    assert "64" in run("model", "cache", "fraud", "--max-mb", 64).out
    assert run("model", "cache", "fraud", "--json").json["max_mb"] == 64
    assert run("model", "cache", "fraud", "--max-mb", 0, "--json").json["confirmed"]
    assert "off" in run("model", "cache", "fraud").out


def test_limits_are_set_and_told(run: Run) -> None:
    run("model", "register", "fraud", "v1.onnx", "--deploy")
    said = run("model", "limits", "fraud", "--max-concurrency", 8, "--max-queue", 32)
    assert (said.code, "32" in said.out) == (0, True)
    assert run("model", "limits", "fraud", "--json").json["max_concurrency"] == 8
    assert run("model", "limits", "fraud", "--max-queue", 9, "--json").json["max_concurrency"] == 8
    assert "8 at once and 9 waiting" in run("model", "show", "fraud").out
    assert run("model", "limits", "fraud", "--max-concurrency", 0, "--json").json["max_queue"] == 0


def test_what_stays_in_memory_is_set_and_told(run: Run) -> None:
    run("model", "register", "fraud", "v1.onnx", "--deploy")
    assert "by demand" in run("model", "show", "fraud").out
    said = run("model", "memory", "fraud", "--resident")
    assert (said.code, "resident" in said.out) == (0, True)
    assert run("model", "memory", "fraud", "--json").json["resident"]
    assert not run("model", "memory", "fraud", "--by-demand", "--json").json["resident"]
