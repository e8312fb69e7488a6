"""Every number of `docs/input.md` has a case: in a table of bad input, or a test with it in its name."""

import re
from pathlib import Path

from tests.gateway import test_input, test_input_grpc, test_tls
from tests.gateway.server import test_gate
from tests.gateway.server.http.test_connection import REFUSED
from tests.gateway.server.http.test_inference import ACCEPTED, FAULTS
from tests.lifecycle.api import test_identity

LIST = Path(__file__).parents[2] / "docs" / "input.md"
TABLES = (FAULTS, ACCEPTED, REFUSED, test_input_grpc.CASES, test_input_grpc.FLOODS)
MODULES = (test_input, test_input_grpc, test_tls, test_gate, test_identity)


def test_every_number_has_a_case() -> None:
    numbers = {int(number) for number in re.findall(r"^\| (\d+) \|", LIST.read_text(), re.MULTILINE)}
    cases = [name for table in TABLES for name in table]
    cases += [name.removeprefix("test_").replace("_", " ") for module in MODULES for name in vars(module)]
    covered = {int(match[1]) for name in cases if (match := re.match(r"(\d+) ", name))}
    assert numbers == set(range(1, 54))
    assert numbers - covered == set()
