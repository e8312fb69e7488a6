"""What the admin API takes, and what it says of the rest."""

import pytest
from pydantic import ValidationError

from lifecycle.api.schemas.requests import LabelIn


@pytest.mark.parametrize("label", [True, 3, 0.5, "good"])
def test_a_label_keeps_its_type(label: object) -> None:
    taken = LabelIn.model_validate({"prediction_id": "a", "label": label})
    assert (taken.label, type(taken.label)) == (label, type(label))


@pytest.mark.parametrize("label", [None, [1], {"class": 1}])
def test_what_is_no_label_is_told_in_one_line(label: object) -> None:
    with pytest.raises(ValidationError) as refused:
        LabelIn.model_validate({"prediction_id": "a", "label": label})
    (fault,) = refused.value.errors()
    assert (fault["loc"], "a label is a number, a boolean or text" in fault["msg"]) == (("label",), True)
