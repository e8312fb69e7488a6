"""What a model looks like as JSON."""

from lifecycle.api.schemas.models import ModelOut
from lifecycle.core.version import Model


def test_aliases_of_people_and_of_the_traffic_stand_side_by_side() -> None:
    model = Model("m", 4, 1.0, champion=1, weights=((1, 90.0), (2, 10.0)), aliases={"stable": 1})
    shown = ModelOut.of(model, 3)
    assert (shown.aliases, shown.versions) == ({"stable": 1, "champion": 1, "canary": 2}, 3)
