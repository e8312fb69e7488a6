import numpy as np

from gateway.core.types import InferResponse, Role
from gateway.protocols.answer_form import BINARY, JSON, AnswerForm, OutputForm, arrays


def test_only_outputs_that_ask_for_classes_are_classified() -> None:
    outputs = {"p": np.array([[0.25, 0.75]]), "label": np.array([1])}
    response = InferResponse("m", 1, Role.CHAMPION, dict(outputs), "", "p")
    form = AnswerForm(OutputForm(False), {"p": OutputForm(True, 1), "label": OutputForm(False)})
    given = arrays(response, form)
    assert given["p"].tolist() == [[b"0.750000:1"]]
    assert given["label"] is response.outputs["label"]
    assert arrays(response, JSON) is response.outputs
    assert (form.of("p").binary, form.of("other").binary, BINARY.of("x").binary) == (True, False, True)
