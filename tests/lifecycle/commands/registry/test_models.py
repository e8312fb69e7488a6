import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.core.keys import Key, KeyRole
from gateway.core.placement import Placement
from gateway.core.profile import Profile
from lifecycle import signing
from lifecycle.commands.registry.intake import SignatureFile, Submission
from lifecycle.commands.registry.models import Models
from lifecycle.core.governance.policy import Policy
from lifecycle.core.inspection import Cost
from lifecycle.core.stages import Stage
from lifecycle.core.version import Approval
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry
from tests.lifecycle.registry import GOOD, House
from tests.lifecycle.signer import Signer

Write = Callable[..., Path]


def reference(path: Path) -> Path:
    rows = np.random.default_rng(7).normal(size=(200, 3)).astype(np.float32)
    pq.write_table(pa.table({"x": pa.array(rows.tolist(), pa.list_(pa.float32()))}), path)
    return path


async def test_a_first_version_brings_its_model_signature_and_profile(
    house: House, linear: Write, tmp_path: Path
) -> None:
    version = await house.real.register(
        "m",
        linear(slope=2),
        actor="ann",
        given=Submission(reference=reference(tmp_path / "rows.parquet"), recipe="a:b"),
    )
    assert (version.number, version.stage, version.submitter) == (1, Stage.REGISTERED, "ann")
    assert version.signature == GOOD.signature
    assert version.lineage.recipe == "a:b"
    model, versions = house.models.show("m")
    assert (model.revision, model.champion, model.recipe) == (1, 0, "a:b")
    assert versions == [version]
    profile = Profile.from_bytes(house.artifacts.fetch(version.profile, version.profile_digest).read_bytes())
    assert set(profile.keys()) >= {"inputs.x"}
    assert pq.read_table(house.artifacts.fetch(version.reference, version.reference_digest)).num_rows == 200
    assert house.kinds() == ["version.registered"]


async def test_a_new_recipe_that_cannot_be_found_registers_nothing(house: House, linear: Write) -> None:
    asked: list[str] = []

    async def find(recipe: str) -> None:
        asked.append(recipe)
        if recipe == "no:such":
            raise LifecycleError(LifecycleCode.REFUSED, "it cannot be imported")

    models = Models(house.store, house.artifacts, house.sandbox, lambda: 1000.0, find_recipe=find)
    with pytest.raises(LifecycleError, match="cannot be imported"):
        await models.register("m", linear(), actor="ann", given=Submission(recipe="no:such"))
    assert house.store.models() == []
    await models.register("m", linear(), actor="ann", given=Submission(recipe="a:b"))
    await models.register("m", linear(slope=2), actor="ann", given=Submission(recipe="a:b"))
    assert asked == ["no:such", "a:b"]


async def test_the_same_file_again_changes_nothing(house: House, linear: Write) -> None:
    first = await house.models.register("m", linear(), actor="ann")
    assert await house.models.register("m", linear(), actor="bob") == first
    assert await house.models.register("m", linear(), actor="bob", number=1) == first
    assert len(house.store.records("m")) == 1


@pytest.mark.parametrize(
    "name", ["", ".hidden", "..", "../etc", "a/b", "a b", "n" * 129, "nul\0", "é", "a\n", "stats"]
)
async def test_a_name_that_could_be_a_path_or_markup_is_invalid(
    house: House, linear: Write, name: str
) -> None:
    with pytest.raises(LifecycleError) as caught:
        await house.models.register(name, linear(), actor="ann")
    assert caught.value.code is LifecycleCode.INVALID
    assert house.store.models() == []


async def test_dots_within_a_name_are_fine(house: House, linear: Write) -> None:
    assert (await house.models.register("model..1_a-B", linear(), actor="ann")).model == "model..1_a-B"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (pickle.dumps([1]), LifecycleCode.UNSUPPORTED),
        (b"PK\x03\x04" + bytes(50), LifecycleCode.UNSUPPORTED),
        (b"", LifecycleCode.REFUSED),
    ],
)
async def test_other_files_are_refused_before_they_are_stored(
    house: House, tmp_path: Path, data: bytes, code: LifecycleCode
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    with pytest.raises(LifecycleError) as caught:
        await house.models.register("m", path, actor="ann")
    assert caught.value.code is code
    assert house.store.models() == []
    assert not (tmp_path / "artifacts").exists()
    assert house.kinds() == ["version.refused"]


async def test_a_broken_artifact_is_refused_by_its_gate_and_the_champion_stays(
    house: House, linear: Write, tmp_path: Path
) -> None:
    await house.models.register("m", linear(), actor="ann")
    house.serve(1)
    before = house.models.show("m")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(linear(slope=3).read_bytes()[:-9])
    with pytest.raises(LifecycleError, match="gate `structure`") as caught:
        await house.real.register("m", broken, actor="ann")
    assert caught.value.code is LifecycleCode.REFUSED
    assert str(tmp_path) not in caught.value.message
    assert house.models.show("m") == before


async def test_approval_by_others_than_the_submitter(house: House, linear: Write) -> None:
    models, validation = house.commands(approvals=2)
    await models.register("m", linear(), actor="ann")
    with pytest.raises(LifecycleError, match="cannot go through `approve`"):
        models.approve("m", 1, "bob")
    await validation.validate("m", 1, "ann")
    with pytest.raises(LifecycleError, match="the submitter of a version cannot approve it"):
        models.approve("m", 1, "ann")
    with pytest.raises(LifecycleError, match="no key is asked for"):
        models.approve("m", 1, "ann")
    with pytest.raises(LifecycleError, match=r"ask somebody else$"):
        models.approve("m", 1, "ann", role="approver")
    assert models.approve("m", 1, "bob").stage is Stage.VALIDATED
    with pytest.raises(LifecycleError, match="already") as caught:
        models.approve("m", 1, "bob")
    assert caught.value.code is LifecycleCode.FORBIDDEN
    approved = models.approve("m", 1, "cleo", role="admin", comment="as agreed")
    assert approved.stage is Stage.APPROVED
    assert approved.approvals == (Approval("bob", 1000.0), Approval("cleo", 1000.0, "admin", "as agreed"))
    record = house.store.records("m")[-1]
    assert (record.actor, record.detail["role"], record.detail["comment"]) == ("cleo", "admin", "as agreed")


async def test_one_persons_keys_are_one_voice(house: House, linear: Write) -> None:
    for name, owner in (("ann-laptop", "ann"), ("ann-ci", "ann"), ("bob", ""), ("bob-card", "bob")):
        key = Key(name, name, KeyRole.APPROVER, owner=owner)
        house.store.commit(Entry("boss", "key.created", "", {"key": name}), key)
    models, validation = house.commands(approvals=2)
    await models.register("m", linear(), actor="ann-ci")
    await validation.validate("m", 1, "ann-ci")
    with pytest.raises(LifecycleError, match="the submitter of a version cannot approve it"):
        models.approve("m", 1, "ann-laptop")
    models.approve("m", 1, "bob")
    with pytest.raises(LifecycleError, match="you have approved this version already"):
        models.approve("m", 1, "bob-card")
    assert models.approve("m", 1, "cleo").stage is Stage.APPROVED


async def test_a_version_with_traffic_cannot_be_retired_or_rejected(house: House, linear: Write) -> None:
    await house.models.register("m", linear(), actor="ann")
    house.serve(1)
    for withdraw in (house.models.retire, house.models.reject):
        with pytest.raises(LifecycleError, match="in use") as caught:
            withdraw("m", 1, "ann")
        assert caught.value.code is LifecycleCode.CONFLICT


async def test_a_version_in_a_rollout_that_holds_nothing_yet_cannot_be_withdrawn(
    house: House, linear: Write
) -> None:
    await house.waiting_rollout(linear)
    for withdraw in (house.models.retire, house.models.reject):
        with pytest.raises(LifecycleError, match="end its rollout first") as caught:
            withdraw("m", 2, "ann")
        assert caught.value.code is LifecycleCode.CONFLICT
    assert house.models.version("m", 2).stage is Stage.APPROVED


def test_what_is_not_there_is_not_found(house: House) -> None:
    with pytest.raises(LifecycleError) as caught:
        house.models.version("m", 1)
    assert caught.value.code is LifecycleCode.NOT_FOUND
    assert house.models.list() == []


async def test_a_signature_may_come_later_and_is_asked_for_before_validation(
    house: House, linear: Write, tmp_path: Path
) -> None:
    await house.models.register("m", linear(), actor="ann")
    ann = Signer(tmp_path, "ann")
    strict, validation = house.commands(policy=Policy(signed=True, trusted=(str(ann.public),)))
    with pytest.raises(LifecycleError, match="must be signed") as refused:
        await validation.validate("m", 1, "ann")
    assert refused.value.code is LifecycleCode.REFUSED
    assert house.models.version("m", 1).stage is Stage.REGISTERED
    signing.sign(linear(), tmp_path / "m.sig", ann.key)
    given = SignatureFile(tmp_path / "m.sig", linear().name)
    signed = (
        await strict.register("m", linear(), actor="bob", given=Submission(signature=given))
    ).package_signature
    assert signed is not None
    assert (signed.signer, signed.verified_at) == ("ann.pub", 1000.0)
    assert (await validation.validate("m", 1, "ann")).stage is Stage.APPROVED
    assert house.artifacts.fetch(signed.bundle, signed.bundle_digest).read_bytes() == given.path.read_bytes()
    assert "version.signed" in house.kinds()


async def test_a_version_seen_to_need_much_memory_gets_processes_of_its_own(
    house: House, linear: Write
) -> None:
    models = Models(house.store, house.artifacts, house.sandbox, lambda: 1000.0, dedicated_above_mb=1024)
    house.sandbox.says = replace(GOOD, cost=Cost(1.0, 900.0))
    assert (await models.register("m", linear(slope=1), actor="ann")).placement is Placement.AUTO
    house.sandbox.says = replace(GOOD, cost=Cost(1.0, 2000.0))
    assert (await models.register("m", linear(slope=2), actor="ann")).placement is Placement.DEDICATED
    house.sandbox.says = replace(GOOD, cost=Cost(1.0, 900.0))
    with pytest.raises(LifecycleError, match="`headrace model placement m pool` moves it") as refused:
        await models.register("m", linear(slope=3), actor="ann", given=Submission(placement=Placement.POOL))
    assert refused.value.code is LifecycleCode.INVALID
