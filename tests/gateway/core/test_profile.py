import numpy as np
import pytest

from gateway.core.binning import Bin, Ordered
from gateway.core.profile import MAX_FEATURES, Profile
from gateway.core.types import Array

RNG = np.random.default_rng(0)
INPUTS: dict[str, Array] = {
    "pixels": RNG.integers(0, 17, (500, 4)).astype(np.float32),
    "age": RNG.normal(size=500),
    "colour": np.array([[[b"red", b"blue"][i % 2]] for i in range(500)], np.object_),
    "member": RNG.random((500, 1)) < 0.5,
}
OUTPUTS: dict[str, Array] = {
    "label": RNG.integers(0, 3, 500),
    "scores": RNG.dirichlet([1, 1, 1], 500).astype(np.float32),
}
PROFILE = Profile.of(INPUTS, OUTPUTS)


def first(tensors: dict[str, Array], n: int) -> dict[str, Array]:
    return {name: array[:n] for name, array in tensors.items()}


def test_every_tensor_has_its_features() -> None:
    assert PROFILE.keys() == (
        *("inputs.pixels", "inputs.age", "inputs.colour", "inputs.member"),
        *("outputs.label", "outputs.scores"),
    )
    assert PROFILE.names("inputs.pixels") == ("pixels[0]", "pixels[1]", "pixels[2]", "pixels[3]")
    assert PROFILE.names("inputs.age") == ("age",)
    assert PROFILE.names("outputs.scores") == ("scores.class", "scores.score")
    assert PROFILE.ordered("inputs.pixels").all()
    assert PROFILE.ordered("outputs.scores").tolist() == [False, True]
    for key in ("inputs.colour", "inputs.member", "outputs.label"):
        assert not PROFILE.ordered(key).any()


def test_each_feature_counts_each_row_once() -> None:
    for key in PROFILE.features:
        assert (PROFILE.reference[key].sum(axis=1) == 500).all()
        assert PROFILE.reference[key].shape[0] == len(PROFILE.names(key))


def test_counts_have_the_references_layout_and_add_up() -> None:
    rest = {name: array[100:] for name, array in INPUTS.items()}, {n: a[100:] for n, a in OUTPUTS.items()}
    one, other = PROFILE.count(first(INPUTS, 100), first(OUTPUTS, 100)), PROFILE.count(*rest)
    for key in PROFILE.features:
        assert (one[key] + other[key]).tolist() == PROFILE.reference[key].tolist()


def test_strange_numbers_have_their_own_columns() -> None:
    strange = np.array([[np.nan] * 4, [np.inf] * 4, [-np.inf] * 4, [-1] * 4, [99] * 4], np.float32)
    counts = PROFILE.count({"pixels": strange}, {})["inputs.pixels"]
    columns = [Bin.NAN, Bin.POS_INF, Bin.NEG_INF, Bin.BELOW, Bin.ABOVE]
    assert (counts[:, columns] == 1).all()
    assert counts.sum() == 20


def test_a_row_of_scores_with_nan_has_no_class() -> None:
    scores = np.array([[0.1, 0.7, 0.2], [np.nan, 0.5, 0.5]], np.float32)
    counts = PROFILE.count({}, {"scores": scores})["outputs.scores"]
    assert counts[:, Bin.NAN].tolist() == [1, 1]
    assert counts.sum(axis=1).tolist() == [2, 2]


def test_an_absent_tensor_or_one_of_another_width_is_left_out() -> None:
    counts = PROFILE.count({"age": np.zeros(2), "pixels": np.zeros((2, 5))}, {"new": np.zeros(2)})
    assert list(counts) == ["inputs.age"]


def test_no_rows_count_as_nothing() -> None:
    assert all(not counts.any() for counts in PROFILE.count(first(INPUTS, 0), first(OUTPUTS, 0)).values())


def test_shapes_of_tensors() -> None:
    image, wide = np.zeros((2, 2, 2)), np.zeros((2, MAX_FEATURES + 1))
    outputs: dict[str, Array] = {"one": np.zeros((2, 1)), "flat": np.zeros(2), "ids": np.zeros((2, 3), int)}
    profile = Profile.of({"image": image, "wide": wide, "scalar": np.zeros(())}, outputs)
    assert profile.keys() == ("inputs.image", "outputs.one", "outputs.flat")
    assert profile.names("inputs.image") == ("image[0,0]", "image[0,1]", "image[1,0]", "image[1,1]")
    assert profile.names("outputs.one") == ("one.score",)


def test_a_profile_survives_the_way_to_a_worker() -> None:
    copy = Profile.from_bytes(PROFILE.to_bytes())
    assert copy.to_bytes() == PROFILE.to_bytes()
    shifted = first(INPUTS, 50), first(OUTPUTS, 50)
    for key, counts in copy.count(*shifted).items():
        assert counts.tolist() == PROFILE.count(*shifted)[key].tolist()
        assert copy.reference[key].tolist() == PROFILE.reference[key].tolist()


def test_any_bytes_survive_as_categories() -> None:
    odd = np.array([b"\xff\x00", "é".encode(), b'"'], np.object_)
    copy = Profile.from_bytes(Profile.of({"s": odd}, {}).to_bytes())
    assert not copy.count({"s": odd}, {})["inputs.s"][:, Bin.UNSEEN].any()


@pytest.mark.parametrize("junk", [b"", b"junk", PROFILE.to_bytes()[:100]])
def test_junk_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match="not a reference profile"):
        Profile.from_bytes(junk)


def test_scores_of_a_later_version_are_cut_like_those_before() -> None:
    before = Profile.of({"x": np.arange(100.0)}, {"price": np.arange(100.0), "label": np.arange(100)})
    after = Profile.of({"x": np.arange(50.0)}, {"price": np.arange(50.0, 250.0, 2.0)}, before)
    assert after.features["outputs.price"] == before.features["outputs.price"]
    assert after.reference["outputs.price"].sum() == 100
    (x,), (x_before,) = after.features["inputs.x"], before.features["inputs.x"]
    assert isinstance(x, Ordered)
    assert isinstance(x_before, Ordered)
    assert not np.array_equal(x.edges, x_before.edges), "inputs are compared with a version's own only"
