"""What is seen of a model, from the command line."""

from pathlib import Path

import pytest

from gateway.core.capture import blocks
from gateway.core.types import Role
from lifecycle.client import Client
from lifecycle.core.estimation.expectation import Method
from lifecycle.core.performance.series import Estimate
from lifecycle.estimates import Estimates
from tests.lifecycle.cli.conftest import Run
from tests.lifecycle.desk import capture
from tests.lifecycle.live import Live
from tests.lifecycle.world import window


def test_labels_are_sent_and_the_receipt_is_told(deployed: Run, live: Live, tmp_path: Path) -> None:
    live.captures.append(blocks([capture("a"), capture("b")]))
    labels = tmp_path / "labels.csv"
    labels.write_text("prediction_id,label\na,1\nz,0\n")
    said = deployed("feedback", "fraud", labels)
    assert said.code == 0
    assert "1  labels joined" in said.out
    assert deployed("feedback", "fraud", labels, "--json").json["duplicate"] == 2


def test_labels_that_the_model_never_answers_are_told(deployed: Run, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("prediction_id,label\na,3\nb,3\nc,2\n")  # it answers scores of three classes, 0 to 2
    said = deployed("feedback", "fraud", labels)
    assert "'3' (2): no answer or reference row of the champion says so" in " ".join(said.out.split())


def test_numbers_of_business_metrics_are_told_of(deployed: Run, live: Live, tmp_path: Path) -> None:
    live.captures.append(blocks([capture("a"), capture("b")]))
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("prediction_id,feedback.revenue\na,10\nb,20\n")
    assert "revenue" in deployed("feedback", "fraud", numbers).out
    assert deployed("feedback", "fraud", numbers, "--json").json["metrics"]["revenue"]["duplicate"] == 2


def test_what_is_not_known_is_said(deployed: Run, live: Live) -> None:
    live.desk.monitor.absorb([window(1, Role.CHAMPION, 1, model="fraud")])
    assert "INCONCLUSIVE" in deployed("drift", "fraud").out
    assert "no labels yet" in deployed("performance", "fraud").out
    assert deployed("performance", "fraud", "--json").json["versions"] == []


def test_estimates_are_shown_beside_labels(deployed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Estimate(1.0, 2.0, 500, Method.CBPE, "like the reference", 0.9, 0.86, 0.94, 0.51, 480.0)
    monkeypatch.setattr(Estimates, "series", lambda _self, _model: (said,))
    monkeypatch.setattr(Estimates, "fell_at", lambda _self, _model: 2.0)
    out = deployed("performance", "fraud").out
    assert "86.0 % to 94.0 %" in out
    assert "clearly too low since" in out


def test_retraining_without_a_recipe_says_what_to_do(deployed: Run) -> None:
    said = deployed("retrain", "fraud", "--reason", "new data")
    assert said.code == 1
    assert "--recipe" in said.err


def test_spans_without_labels_are_only_counted(deployed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    span = {"start": 0.0, "predictions": 9, "coverage": 0.0, "accuracy": None, "low": 0.0, "high": 1.0}
    silent = span | {"labelled": 0, "mature": True}
    told = silent | {"labelled": 9, "coverage": 1.0, "accuracy": 0.875, "predictions": 4321}
    found = deployed("performance", "fraud", "--json").json
    found["versions"] = [{"version": 1, "cohorts": [silent, told, silent]}]
    monkeypatch.setattr(Client, "performance", lambda _self, _model: found)
    out = deployed("performance", "fraud").out
    assert "4321" in out
    assert out.count("87.5 %") == 1
    assert "2 earlier spans" in out


def test_a_model_of_numbers_is_told_of_by_its_errors(deployed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    span = {"start": 0.0, "predictions": 90, "labelled": 90, "coverage": 1.0, "mature": True}
    span |= {"mae": 41.25, "low": 39.5, "high": 43.0, "rmse": 52.5}
    fall = {"measure": "mae", "since": 0.0, "rows": 321, "mae": 41.25, "lower": 39.5, "reference": 20.5}
    found = deployed("performance", "fraud", "--json").json
    found |= {"measure": "mae", "reference": 20.5, "fall": fall}
    found["versions"] = [{"version": 1, "cohorts": [span]}]
    monkeypatch.setattr(Client, "performance", lambda _self, _model: found)
    out = deployed("performance", "fraud").out
    assert "mean absolute error at validation  20.5" in out
    assert "41.25 since" in out
    assert "39.5 to 43" in out
    assert "RMSE" in out
    assert "%" not in out.replace("95 %", "").replace("100.0 %", "")
