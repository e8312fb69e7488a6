"""What is seen of a model, over HTTP."""

import time
from dataclasses import replace
from math import nan

import numpy as np
import pytest

from gateway.core.capture import Capture, blocks
from gateway.core.types import Role
from lifecycle.core.estimation.expectation import Method
from lifecycle.core.performance.series import Estimate
from lifecycle.estimates import Estimates
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.world import window


async def test_a_series_has_a_point_per_second(admin: Admin) -> None:
    await admin.deployed()
    admin.desk.monitor.absorb([window(1, Role.CHAMPION, 1, requests=50, errors=2, model="fraud", end=7.5)])
    (point,) = (await admin.http.get("/v1/models/fraud/series")).json()["points"]
    assert (point["at"], point["requests"], point["errors"]) == (7, {"1": 50}, {"1": 2})


async def test_nothing_known_is_said_and_never_a_pass(admin: Admin) -> None:
    await admin.deployed()
    drift = (await admin.http.get("/v1/models/fraud/drift")).json()
    performance = (await admin.http.get("/v1/models/fraud/performance")).json()
    assert drift["verdict"] == "INCONCLUSIVE"
    assert drift["reason"]
    assert (performance["versions"], performance["fall"]) == ([], None)
    assert (performance["estimates"], performance["estimate_fell_at"]) == ([], None)


async def test_estimates_are_told_with_their_bounds(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    await admin.deployed()
    said = Estimate(1.0, 2.0, 500, Method.CBPE, "like the reference", 0.9, 0.86, 0.94, 0.51, 480.0)
    silent = replace(said, method=Method.NONE, reason="unlike", value=nan, low=nan, high=nan)
    monkeypatch.setattr(Estimates, "series", lambda _self, _model: (said, silent))
    first, second = (await admin.http.get("/v1/models/fraud/performance")).json()["estimates"]
    assert (first["accuracy"], first["low"], first["high"], first["method"]) == (0.9, 0.86, 0.94, "cbpe")
    assert (second["accuracy"], second["low"], second["method"]) == (None, None, "none")
    assert second["reason"] == "unlike"


async def test_the_errors_of_numbers_are_told_from_their_labels_in_the_labels_unit(admin: Admin) -> None:
    await admin.deployed()
    rng, now = np.random.default_rng(0), time.time()
    for begins, off in ((0, 1.0), (400, 4.0)):
        prices = rng.normal(200.0, 50.0, 400)
        made, labels = [], []
        for each, price in enumerate(prices.tolist()):
            name, at = f"p{begins + each}", now - 800 + begins + each
            tensors = {"x": np.zeros((1, 3), np.float32)}, {"price": np.array([[price]], np.float32)}
            made.append(Capture(name, at, "fraud", 1, Role.CHAMPION, *tensors))
            labels.append({"prediction_id": name, "label": price + off * rng.normal()})
        admin.captures.append(blocks(made))
        sent = await admin.http.post("/v1/feedback", json={"model": "fraud", "labels": labels})
        assert sent.json()["joined"] == 400
        await admin.desk.monitor.observe(now := now + 10)
    told = (await admin.http.get("/v1/models/fraud/performance")).json()
    assert (told["measure"], told["reference"]) == ("mae", None)
    cohorts = [cohort for cohort in told["versions"][0]["cohorts"] if cohort["labelled"]]
    assert [cohort["accuracy"] for cohort in cohorts] == [None] * len(cohorts)
    assert np.mean([cohort["mae"] for cohort in cohorts[:40]]) == pytest.approx(0.8, rel=0.1)
    cohorts = [cohort for cohort in cohorts if cohort["labelled"] > 1]  # one error has no interval
    assert all(cohort["low"] < cohort["mae"] < cohort["high"] for cohort in cohorts)
    assert all(cohort["mae"] < cohort["rmse"] < cohort["rmse_high"] for cohort in cohorts)
    fall = told["fall"]
    assert (fall["measure"], fall["accuracy"], fall["mae"] > 2.5) == ("mae", None, True)
    assert fall["since"] == pytest.approx(now - 20 - 400, abs=10)
    (matter,) = (await admin.http.get("/v1/attention")).json()["matters"]
    assert matter["says"].startswith("mean absolute error ")


async def test_a_model_without_a_recipe_is_not_retrained(admin: Admin) -> None:
    await admin.deployed()
    assert (await admin.http.post("/v1/models/fraud/retrain", json={"reason": "why not"})).status_code == 400
    assert not (await admin.http.get("/v1/models/fraud/retrain")).json()["running"]


async def test_an_unknown_model_is_not_found(admin: Admin) -> None:
    paths = ("series", "drift", "performance", "retrain")
    answers = [(await admin.http.get(f"/v1/models/none/{path}")).status_code for path in paths]
    assert answers == [404] * 4
