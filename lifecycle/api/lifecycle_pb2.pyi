from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping[str, object]]]] = ...) -> None: ...

class ModelRequest(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: str
    def __init__(self, model: _Optional[str] = ...) -> None: ...

class VersionRequest(_message.Message):
    __slots__ = ("model", "number")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    model: str
    number: int
    def __init__(self, model: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...

class VersionChangeRequest(_message.Message):
    __slots__ = ("model", "number", "if_revision")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    IF_REVISION_FIELD_NUMBER: _ClassVar[int]
    model: str
    number: int
    if_revision: int
    def __init__(self, model: _Optional[str] = ..., number: _Optional[int] = ..., if_revision: _Optional[int] = ...) -> None: ...

class ValidateRequest(_message.Message):
    __slots__ = ("model", "number", "if_revision", "allow_signature_change")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    IF_REVISION_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SIGNATURE_CHANGE_FIELD_NUMBER: _ClassVar[int]
    model: str
    number: int
    if_revision: int
    allow_signature_change: bool
    def __init__(self, model: _Optional[str] = ..., number: _Optional[int] = ..., if_revision: _Optional[int] = ..., allow_signature_change: _Optional[bool] = ...) -> None: ...

class ApprovalRequest(_message.Message):
    __slots__ = ("model", "number", "comment", "if_revision")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    IF_REVISION_FIELD_NUMBER: _ClassVar[int]
    model: str
    number: int
    comment: str
    if_revision: int
    def __init__(self, model: _Optional[str] = ..., number: _Optional[int] = ..., comment: _Optional[str] = ..., if_revision: _Optional[int] = ...) -> None: ...

class DeployRequest(_message.Message):
    __slots__ = ("model", "number", "plan", "if_revision")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    IF_REVISION_FIELD_NUMBER: _ClassVar[int]
    model: str
    number: int
    plan: _struct_pb2.Value
    if_revision: int
    def __init__(self, model: _Optional[str] = ..., number: _Optional[int] = ..., plan: _Optional[_Union[_struct_pb2.Value, _Mapping[str, object]]] = ..., if_revision: _Optional[int] = ...) -> None: ...

class ChangeRequest(_message.Message):
    __slots__ = ("model", "if_revision")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    IF_REVISION_FIELD_NUMBER: _ClassVar[int]
    model: str
    if_revision: int
    def __init__(self, model: _Optional[str] = ..., if_revision: _Optional[int] = ...) -> None: ...

class SetTrafficRequest(_message.Message):
    __slots__ = ("model", "weights", "shadows", "dry_run", "if_revision")
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: float
        def __init__(self, key: _Optional[int] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    SHADOWS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    IF_REVISION_FIELD_NUMBER: _ClassVar[int]
    model: str
    weights: _containers.ScalarMap[int, float]
    shadows: _struct_pb2.ListValue
    dry_run: bool
    if_revision: int
    def __init__(self, model: _Optional[str] = ..., weights: _Optional[_Mapping[int, float]] = ..., shadows: _Optional[_Union[_struct_pb2.ListValue, _Mapping[str, object]]] = ..., dry_run: _Optional[bool] = ..., if_revision: _Optional[int] = ...) -> None: ...

class StartRolloutRequest(_message.Message):
    __slots__ = ("model", "version", "plan", "if_revision")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    IF_REVISION_FIELD_NUMBER: _ClassVar[int]
    model: str
    version: int
    plan: _struct_pb2.Value
    if_revision: int
    def __init__(self, model: _Optional[str] = ..., version: _Optional[int] = ..., plan: _Optional[_Union[_struct_pb2.Value, _Mapping[str, object]]] = ..., if_revision: _Optional[int] = ...) -> None: ...

class ListRecordsRequest(_message.Message):
    __slots__ = ("model", "after", "limit", "kind")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    model: str
    after: int
    limit: int
    kind: str
    def __init__(self, model: _Optional[str] = ..., after: _Optional[int] = ..., limit: _Optional[int] = ..., kind: _Optional[str] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("model", "after")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    model: str
    after: int
    def __init__(self, model: _Optional[str] = ..., after: _Optional[int] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "revision", "created_at", "champion", "previous", "weights", "shadows", "held", "recipe", "versions")
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: float
        def __init__(self, key: _Optional[int] = ..., value: _Optional[float] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CHAMPION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    SHADOWS_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    revision: int
    created_at: float
    champion: int
    previous: int
    weights: _containers.ScalarMap[int, float]
    shadows: _containers.RepeatedScalarFieldContainer[int]
    held: _containers.RepeatedScalarFieldContainer[int]
    recipe: str
    versions: int
    def __init__(self, name: _Optional[str] = ..., revision: _Optional[int] = ..., created_at: _Optional[float] = ..., champion: _Optional[int] = ..., previous: _Optional[int] = ..., weights: _Optional[_Mapping[int, float]] = ..., shadows: _Optional[_Iterable[int]] = ..., held: _Optional[_Iterable[int]] = ..., recipe: _Optional[str] = ..., versions: _Optional[int] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("name", "verdict", "reason", "numbers")
    class NumbersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    verdict: str
    reason: str
    numbers: _containers.ScalarMap[str, float]
    def __init__(self, name: _Optional[str] = ..., verdict: _Optional[str] = ..., reason: _Optional[str] = ..., numbers: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Tensor(_message.Message):
    __slots__ = ("name", "datatype", "shape")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATATYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    datatype: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., datatype: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class Signature(_message.Message):
    __slots__ = ("inputs", "outputs")
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    inputs: _containers.RepeatedCompositeFieldContainer[Tensor]
    outputs: _containers.RepeatedCompositeFieldContainer[Tensor]
    def __init__(self, inputs: _Optional[_Iterable[_Union[Tensor, _Mapping[str, object]]]] = ..., outputs: _Optional[_Iterable[_Union[Tensor, _Mapping[str, object]]]] = ...) -> None: ...

class Version(_message.Message):
    __slots__ = ("model", "number", "stage", "digest", "signature", "submitter", "created_at", "evidence")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SUBMITTER_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    model: str
    number: int
    stage: str
    digest: str
    signature: Signature
    submitter: str
    created_at: float
    evidence: _containers.RepeatedCompositeFieldContainer[Finding]
    def __init__(self, model: _Optional[str] = ..., number: _Optional[int] = ..., stage: _Optional[str] = ..., digest: _Optional[str] = ..., signature: _Optional[_Union[Signature, _Mapping[str, object]]] = ..., submitter: _Optional[str] = ..., created_at: _Optional[float] = ..., evidence: _Optional[_Iterable[_Union[Finding, _Mapping[str, object]]]] = ...) -> None: ...

class ListVersionsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[Version]
    def __init__(self, versions: _Optional[_Iterable[_Union[Version, _Mapping[str, object]]]] = ...) -> None: ...

class Traffic(_message.Message):
    __slots__ = ("model", "revision", "champion", "weights", "shadows")
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: float
        def __init__(self, key: _Optional[int] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CHAMPION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    SHADOWS_FIELD_NUMBER: _ClassVar[int]
    model: str
    revision: int
    champion: int
    weights: _containers.ScalarMap[int, float]
    shadows: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, model: _Optional[str] = ..., revision: _Optional[int] = ..., champion: _Optional[int] = ..., weights: _Optional[_Mapping[int, float]] = ..., shadows: _Optional[_Iterable[int]] = ...) -> None: ...

class TrafficChange(_message.Message):
    __slots__ = ("model", "revision", "champion", "weights", "shadows", "confirmed", "dry_run", "load_seconds", "confirm_seconds")
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: float
        def __init__(self, key: _Optional[int] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CHAMPION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    SHADOWS_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    LOAD_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_SECONDS_FIELD_NUMBER: _ClassVar[int]
    model: str
    revision: int
    champion: int
    weights: _containers.ScalarMap[int, float]
    shadows: _containers.RepeatedScalarFieldContainer[int]
    confirmed: bool
    dry_run: bool
    load_seconds: float
    confirm_seconds: float
    def __init__(self, model: _Optional[str] = ..., revision: _Optional[int] = ..., champion: _Optional[int] = ..., weights: _Optional[_Mapping[int, float]] = ..., shadows: _Optional[_Iterable[int]] = ..., confirmed: _Optional[bool] = ..., dry_run: _Optional[bool] = ..., load_seconds: _Optional[float] = ..., confirm_seconds: _Optional[float] = ...) -> None: ...

class Rollout(_message.Message):
    __slots__ = ("id", "model", "version", "champion", "phase", "active", "paused", "plan", "step", "weight", "step_requests", "step_started_at", "started_at", "started_by", "deadline_at", "canary_first_at", "decided_at", "verdict", "findings", "pending", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHAMPION_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    STEP_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    STEP_STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STARTED_BY_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_AT_FIELD_NUMBER: _ClassVar[int]
    CANARY_FIRST_AT_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    model: str
    version: int
    champion: int
    phase: str
    active: bool
    paused: bool
    plan: _struct_pb2.Struct
    step: int
    weight: float
    step_requests: int
    step_started_at: float
    started_at: float
    started_by: str
    deadline_at: float
    canary_first_at: float
    decided_at: float
    verdict: str
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    pending: str
    reason: str
    def __init__(self, id: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[int] = ..., champion: _Optional[int] = ..., phase: _Optional[str] = ..., active: _Optional[bool] = ..., paused: _Optional[bool] = ..., plan: _Optional[_Union[_struct_pb2.Struct, _Mapping[str, object]]] = ..., step: _Optional[int] = ..., weight: _Optional[float] = ..., step_requests: _Optional[int] = ..., step_started_at: _Optional[float] = ..., started_at: _Optional[float] = ..., started_by: _Optional[str] = ..., deadline_at: _Optional[float] = ..., canary_first_at: _Optional[float] = ..., decided_at: _Optional[float] = ..., verdict: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping[str, object]]]] = ..., pending: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ListRolloutsResponse(_message.Message):
    __slots__ = ("rollouts",)
    ROLLOUTS_FIELD_NUMBER: _ClassVar[int]
    rollouts: _containers.RepeatedCompositeFieldContainer[Rollout]
    def __init__(self, rollouts: _Optional[_Iterable[_Union[Rollout, _Mapping[str, object]]]] = ...) -> None: ...

class StepForecast(_message.Message):
    __slots__ = ("weight", "requests_per_s", "seconds", "waits_for", "error_rate", "slower")
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_PER_S_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    WAITS_FOR_FIELD_NUMBER: _ClassVar[int]
    ERROR_RATE_FIELD_NUMBER: _ClassVar[int]
    SLOWER_FIELD_NUMBER: _ClassVar[int]
    weight: float
    requests_per_s: float
    seconds: float
    waits_for: _containers.RepeatedScalarFieldContainer[str]
    error_rate: float
    slower: float
    def __init__(self, weight: _Optional[float] = ..., requests_per_s: _Optional[float] = ..., seconds: _Optional[float] = ..., waits_for: _Optional[_Iterable[str]] = ..., error_rate: _Optional[float] = ..., slower: _Optional[float] = ...) -> None: ...

class Forecast(_message.Message):
    __slots__ = ("plan", "requests_per_s", "error_rate", "steps", "seconds", "reason")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_PER_S_FIELD_NUMBER: _ClassVar[int]
    ERROR_RATE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    plan: _struct_pb2.Struct
    requests_per_s: float
    error_rate: float
    steps: _containers.RepeatedCompositeFieldContainer[StepForecast]
    seconds: float
    reason: str
    def __init__(self, plan: _Optional[_Union[_struct_pb2.Struct, _Mapping[str, object]]] = ..., requests_per_s: _Optional[float] = ..., error_rate: _Optional[float] = ..., steps: _Optional[_Iterable[_Union[StepForecast, _Mapping[str, object]]]] = ..., seconds: _Optional[float] = ..., reason: _Optional[str] = ...) -> None: ...

class Deployment(_message.Message):
    __slots__ = ("message", "version", "traffic", "rollout")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    message: str
    version: Version
    traffic: Traffic
    rollout: Rollout
    def __init__(self, message: _Optional[str] = ..., version: _Optional[_Union[Version, _Mapping[str, object]]] = ..., traffic: _Optional[_Union[Traffic, _Mapping[str, object]]] = ..., rollout: _Optional[_Union[Rollout, _Mapping[str, object]]] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ("seq", "at", "actor", "kind", "model", "detail", "prev_hash", "hash")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    PREV_HASH_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    seq: int
    at: float
    actor: str
    kind: str
    model: str
    detail: _struct_pb2.Struct
    prev_hash: str
    hash: str
    def __init__(self, seq: _Optional[int] = ..., at: _Optional[float] = ..., actor: _Optional[str] = ..., kind: _Optional[str] = ..., model: _Optional[str] = ..., detail: _Optional[_Union[_struct_pb2.Struct, _Mapping[str, object]]] = ..., prev_hash: _Optional[str] = ..., hash: _Optional[str] = ...) -> None: ...

class ListRecordsResponse(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[Record]
    def __init__(self, records: _Optional[_Iterable[_Union[Record, _Mapping[str, object]]]] = ...) -> None: ...
