"""What a model's traffic looks like as JSON."""

import json

from lifecycle.api.schemas.traffic import TrafficOut
from lifecycle.core.version import Model


def test_weights_are_by_version() -> None:
    model = Model("m", 4, 1.0, champion=1, weights=((1, 90.0), (2, 10.0)), shadows=(3,))
    assert json.loads(TrafficOut.of(model).model_dump_json())["weights"] == {"1": 90.0, "2": 10.0}
