"""What a word sends."""

from lifecycle.client.operation import at, listed


def test_names_cannot_leave_their_place_in_a_path() -> None:
    assert at("a/../b", "versions", "2?x") == "/v1/models/a%2F..%2Fb/versions/2%3Fx"


def test_a_list_is_taken_out_of_its_answer() -> None:
    assert listed("/v1/keys", "keys").reads({"keys": [{"name": "a"}], "more": 1}) == [{"name": "a"}]
