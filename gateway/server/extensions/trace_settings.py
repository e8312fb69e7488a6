"""The V2 trace settings, in Triton's words, of all models or one. HTTP and gRPC send the same.

A value is a list of texts. What is set holds on every worker of the node within a second, until it stops, and
is told by all of them at once.
"""

import re
from collections.abc import Mapping

from gateway.core.words import quoted
from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.fields import invalid
from gateway.telemetry.trace_sampling import ENDLESS, TraceSampling

Told = dict[str, list[str]]

_OFF, _ON = "OFF", "TIMESTAMPS"
_HOW = "set endpoint in [gateway.tracing] of headrace.toml (docs/logs.md)"
_NUMBER = re.compile(r"-?[0-9]{1,9}")
_ELSEWHERE = ("trace_mode", "trace_config", "trace_file", "log_frequency")


def told(sampling: TraceSampling | None, model: str) -> Told:
    """What holds for a model, or, without a name, for all that have no setting of their own."""
    if sampling is None:
        return {"trace_level": [_OFF], "trace_mode": [f"off: {_HOW}"]}
    sampling.refresh()
    setting = sampling.setting(model)
    return {
        "trace_level": [_ON if setting.on else _OFF],
        "trace_rate": [str(round(1 / setting.ratio) if setting.ratio else 0)],
        "trace_count": [str(setting.count)],
        "trace_mode": ["opentelemetry"],
    }


def change(sampling: TraceSampling | None, model: str, wanted: Mapping[str, object]) -> Told:
    """Set what is named, and tell what then holds. A value may be a text, a number or a list of one;
    None or an empty list takes the setting back.

    Raises:
        GatewayError: SWITCHED_OFF where tracing is not configured, INVALID for what cannot be set.
    """
    if sampling is None:
        raise GatewayError(ErrorCode.SWITCHED_OFF, f"tracing is off here: {_HOW}")
    sampling.change(model, dict(_field(name, _text(name, value)) for name, value in wanted.items()))
    return told(sampling, model)


def _text(name: str, value: object) -> str | None:
    """The one text of a value; None for one that is taken back."""
    if isinstance(value, list):
        if len(value) > 1:
            raise invalid(f"trace setting {quoted(name)} takes one value")
        value = value[0] if value else None
    if value is None or type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise invalid(f"trace setting {quoted(name)} must be a text, or a list of one")


def _field(name: str, text: str | None) -> tuple[str, bool | float | int | None]:
    """The field of a `TraceSetting` and its value."""
    match name:
        case "trace_level":
            if text == "TENSORS":
                raise invalid("no trace holds a request's data: 'trace_level' is OFF or TIMESTAMPS")
            if text not in (None, _OFF, _ON):
                raise invalid("'trace_level' is OFF or TIMESTAMPS")
            return "on", None if text is None else text == _ON
        case "trace_rate":
            rate = _number(name, text, 0)
            return "ratio", None if rate is None else 1 / rate if rate else 0.0
        case "trace_count":
            return "count", _number(name, text, ENDLESS)
    if name in _ELSEWHERE:
        raise invalid(f"{name!r} is not for clients: spans go where [gateway.tracing] of headrace.toml says")
    raise invalid(
        f"there is no trace setting {quoted(name)}; there are trace_level, trace_rate and trace_count"
    )


def _number(name: str, text: str | None, least: int) -> int | None:
    if text is None:
        return None
    if _NUMBER.fullmatch(text) is None or int(text) < least:
        raise invalid(f"{name!r} must be a whole number of {least} or more")
    return int(text)
