"""What the express lane is taught: requests that went the usual way, and may go the short one when they come
again.

A request may if its answer is a function of its tensors and of the route alone: a known head without a
routing key or a deadline, a model without limits, shadows or a cache, a version that runs inline. Before a
plan is used it must have written, from the same tensors, the very bytes of the usual answer.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping

import numpy as np

from gateway.core.routing import Choice, Draws, choose
from gateway.core.sightings import Sightings
from gateway.core.types import Array, InferRequest, InferResponse, Tensors
from gateway.errors import GatewayError
from gateway.ports import Bindable, Keep, MeterKey, Routes
from gateway.protocols.answer_form import AnswerForm
from gateway.server.express import answers, layouts
from gateway.server.express.lane import CHUNKED, GRPC, JSON, Bodies, Head, Lane
from gateway.server.express.layouts import CODES, Words
from gateway.server.express.meter import Meter
from gateway.server.express.plans import Answer, Layout, Plan, Tensor
from gateway.server.express.poller import Poller
from gateway.server.gate import Gate
from gateway.server.http.codecs import JSON_LENGTH
from gateway.server.http.grpc_lane import END, INFER
from gateway.server.http.inference import COMPRESS_FROM, TIMEOUT
from gateway.server.http.message import Request
from gateway.server.pressure import Pressure
from gateway.telemetry.request_log import RequestLog

_log = logging.getLogger(__name__)
MOST_LAYOUTS = 4096
MOST_PLANS = 64
"""Of one version. Few callers describe the same tensors in more ways."""
MOST_BYTES = 16 * 1024
"""Of a plan's tensors, which it holds as long as it lives."""
MOST_FAILURES = 256
PATIENCE_S = 10.0
"""How often it is tried in vain, in this time, to learn from what comes to one URL for one model."""
_OTHERWISE = (b"content-encoding", b"grpc-timeout", TIMEOUT)


class Express:
    """Teaches the lane, and is asked by it what is not the same for every request.

    Args:
        draws: where a model's requests without a key are drawn.
        meters: what the lane has answered, by kind, for the tap and the tally to read.
        keep: takes the tensors of an answered request.
        ids: what prediction ids begin with.
        most: requests of one kind that are held until the tap asks.
    """

    def __init__(
        self,
        routes: Routes,
        draws: Callable[[str], Draws],
        meters: MutableMapping[MeterKey, Meter],
        keep: Keep,
        log: RequestLog,
        pressure: Pressure,
        gate: Gate | None,
        *,
        ids: str,
        seed: int,
        most: int,
    ) -> None:
        self._routes = routes
        self._draws = draws
        self._meters = meters
        self._keep = keep
        self._log = log
        self._bodies: dict[tuple[bytes, int], Bodies] = {}
        self._sightings = Sightings(MOST_LAYOUTS)
        self._failures: Counter[tuple[bytes, str]] = Counter()
        self._patient_until = 0.0
        self._table = routes.table
        self._lane = Lane(self, routes, pressure, gate, ids.encode(), seed, most, log.slow_ns)
        self.answer = self._lane.answer

    def poller(self, loop: asyncio.AbstractEventLoop) -> Poller:
        """A new one for connections whose requests go the lane."""
        return Poller(self._lane, loop)

    # ---- teaching ----

    def learn(
        self, request: Request, asked: InferRequest, form: AnswerForm, response: InferResponse, reply: bytes
    ) -> None:
        """Take an answered request as an example. Costs a fraction of a millisecond if it is a new one."""
        if not request.head or asked.key or asked.id or asked.deadline_ns or request.close or request.old:
            return
        if self._table is not self._routes.table:
            self._table = self._routes.table
            self._forget_meters()
        if (now := time.monotonic()) > self._patient_until:
            self._failures.clear()
            self._patient_until = now + PATIENCE_S
        tried = request.url, asked.model
        if self._failures[tried] >= MOST_FAILURES:
            return
        try:
            learnt = self._learnt(request, asked, form, response, reply)
        except Exception:  # whatever is wrong with an example, it was answered
            _log.exception("a request cannot be learnt from")
            learnt = False
        if not learnt:
            self._failures[tried] += 1

    def _learnt(
        self, request: Request, asked: InferRequest, form: AnswerForm, response: InferResponse, reply: bytes
    ) -> bool:
        headers = request.headers
        if any(name in headers for name in _OTHERWISE) or any(
            wanted.classes for wanted in form.outputs.values()
        ):
            return False
        grpc = request.url == INFER
        # Of plans, which serve heads of all kinds, none may write what some head's answer has compressed.
        if not grpc and b"accept-encoding" in headers and _may_be_compressed(reply, response):
            return False
        kind = GRPC if grpc else int(headers.get(JSON_LENGTH, JSON))
        words = _words(request.body, kind, asked.inputs)
        if words is None:
            return False
        # A body of gRPC names its model itself, so all of them are looked for together.
        bodies = self._bodies.get((request.url, kind)) or Bodies(kind)
        rest = request.body[len(words.start) :]
        layout = bodies.known(words.start, rest)
        if layout is None:
            # Words that hold something of each request's own, such as a time, would push out all others.
            if not self._sightings.again(b"\0".join((request.url, words.start, *words.around))):
                return False
            layout = _layout(asked, words, kind)
        if layout is None or not self.renews(layout) or not layout.reads(rest):
            return False
        # Words that name no input, of a raw body, now mean another one if the model's signature changed.
        read = {tensor.name: tensor.array for tensor in layout.inputs}
        if _told(read) != _told(asked.inputs):
            return False
        version = self._routes.loaded(response.model, response.version)
        if not isinstance(version, Bindable):
            return False
        if layout not in version.plans:
            if len(version.plans) >= MOST_PLANS:
                version.plans.clear()
                return False
            plan = self._plan(version, layout, form, response, reply, kind)
            if plan is None:
                return False
            version.plans[layout] = plan
        elif self._lane.knows(request.head):
            return False  # nothing new: the lane had its reasons
        if sum(map(len, self._bodies.values())) >= MOST_LAYOUTS:
            self._lane.forget()
            self._bodies.clear()
            return False
        self._bodies.setdefault((request.url, kind), bodies).add(words.start, len(request.body), layout)
        chunked = b"transfer-encoding" in headers
        length = CHUNKED if chunked else int(headers.get(b"content-length", CHUNKED))
        self._lane.add(request.head, Head(length, bodies, headers))
        return True

    @staticmethod
    def _plan(
        version: Bindable,
        layout: Layout,
        form: AnswerForm,
        response: InferResponse,
        reply: bytes,
        kind: int,
    ) -> Plan | None:
        outputs = _tensors({name: np.empty_like(array) for name, array in response.outputs.items()}, "?")
        if outputs is None:
            return None
        given = {tensor.name: tensor.array for tensor in layout.inputs}
        filled = {tensor.name: tensor.array for tensor in outputs}
        run = version.bind(given, filled)
        answer = _answer(reply, response, form, kind)
        if run is None or answer is None:
            return None
        plan = Plan(run, outputs, answer, version.entry.invalid if version.entry.ranges else None)
        try:
            run()
        except Exception:  # its outputs have another shape each time
            return None
        same = all(filled[name].tobytes() == array.tobytes() for name, array in response.outputs.items())
        return plan if same and plan.written(response.prediction_id.encode()) == reply else None

    def _forget_meters(self) -> None:
        models = self._table.models
        for key, meter in [*self._meters.items()]:
            route = models.get(key[0])
            if (route is None or route.entry(key[1]) is None) and meter.idle:
                del self._meters[key]

    # ---- asked by the lane ----

    def renews(self, layout: Layout) -> bool:
        """Whether the lane may answer for the model by the table in force, which the layout then knows."""
        table = self._routes.table
        route = table.models.get(layout.model)
        if (
            route is None
            or route.limits.max_concurrency
            or route.cache_mb
            or route.shadows
            or not route.weights
        ):
            return False
        if route is not layout.route:
            pinned, only = layout.pinned, len(route.weights) == 1
            try:
                layout.choice = choose(route, pinned, "", 0.0) if only or pinned is not None else None
            except GatewayError:  # a version or an alias that is not there any more
                return False
            layout.route, layout.draws, layout.ways = route, self._draws(layout.model), []
        layout.table = table
        return True

    def meter(self, layout: Layout, choice: Choice) -> Meter:
        key = (layout.model, *choice, layout.protocol)
        meter = self._meters.get(key)
        if meter is None:
            meter = self._meters[key] = Meter(key, self._routes.table.generation, 1.0)
        return meter

    def keep(self, layout: Layout, plan: Plan, choice: Choice, prediction_id: bytes) -> None:
        inputs = {tensor.name: tensor.array.copy() for tensor in layout.inputs}
        outputs = {name: array.copy() for name, array in plan.arrays().items()}
        self._keep(layout.model, *choice, inputs, outputs, prediction_id.decode(), layout.rows)

    def slow(
        self,
        layout: Layout,
        choice: Choice,
        prediction_id: bytes,
        headers: Mapping[bytes, bytes],
        busy_ns: int,
    ) -> None:
        request = InferRequest(layout.model, layout.pinned, {}, protocol=layout.protocol)
        response = InferResponse(layout.model, *choice, {}, "", prediction_id.decode())
        self._log.slow(request, response, busy_ns, headers)


def _words(body: bytes, kind: int, inputs: Mapping[str, Array]) -> Words | None:
    if kind == GRPC:
        return layouts.in_message(body, inputs)
    if kind == JSON:
        return layouts.in_json(body, len(inputs))
    return layouts.behind_json(body, kind, inputs)


def _layout(asked: InferRequest, words: Words, kind: int) -> Layout | None:
    inputs = _tensors({name: np.empty_like(array, order="C") for name, array in asked.inputs.items()})
    if inputs is None:
        return None
    first = inputs[0].array
    rows = len(first) if first.ndim else 1
    text = kind == JSON
    return Layout(inputs, words.around, words.runs, text, asked.model, asked.version, asked.protocol, rows)


def _told(tensors: Tensors) -> dict[str, object]:
    """Everything of them, to compare."""
    return {name: (array.dtype, array.shape, array.tobytes()) for name, array in tensors.items()}


def _tensors(arrays: Mapping[str, Array], boolean: str = "") -> list[Tensor] | None:
    """None if some are empty or too large, or hold what is no number."""
    codes = {
        name: boolean if array.dtype == np.bool_ else CODES.get(array.dtype.name, "")
        for name, array in arrays.items()
    }
    sizes = [array.nbytes for array in arrays.values()]
    if not sizes or not all(codes.values()) or not all(sizes) or sum(sizes) > MOST_BYTES:
        return None
    return [Tensor(name, array, codes[name]) for name, array in arrays.items()]


def _may_be_compressed(reply: bytes, response: InferResponse) -> bool:
    body = len(reply) - reply.find(b"\r\n\r\n") - 4
    return body + answers.most_growth(response.outputs) >= COMPRESS_FROM


def _answer(reply: bytes, response: InferResponse, form: AnswerForm, kind: int) -> Answer | None:
    """None if it holds outputs of both kinds."""
    if kind == GRPC:
        return answers.in_raw_bytes(reply, response, END, marked=True)
    binary = {form.of(name).binary for name in response.outputs}
    if len(binary) != 1:
        return None
    return answers.in_raw_bytes(reply, response) if binary.pop() else answers.in_json(reply, response, form)
