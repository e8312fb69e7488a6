# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The express lane, compiled: from the bytes of a request whose words are known to the bytes of its answer.

It knows nothing of protocols and decides nothing: what it may answer, and how, it is taught by `express.py`
from requests that went the usual way. None means that this one has to go it too.
"""

import time

import orjson
from cpython cimport array
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItem
from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint16_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from gateway.server.express.numbers cimport read_numbers


cdef extern from "string.h":
    void* memmem(const void* text, size_t length, const void* part, size_t part_length) noexcept


cpdef enum:
    LENGTH = -1
    ID = -2
    CHUNKED = -1
    JSON = -1
    GRPC = -2


cdef object dumps = orjson.dumps
cdef object NUMPY = orjson.OPT_SERIALIZE_NUMPY


cdef inline int64_t now_ns() noexcept:
    cdef timespec at
    clock_gettime(CLOCK_MONOTONIC, &at)
    return <int64_t>at.tv_sec * 1000000000 + at.tv_nsec


cdef class Tensor:
    """The memory of one C-contiguous numpy array, which requests write or a run fills.

    Args:
        code: `struct`'s for its elements, "e" for FP16.
    """

    cdef readonly str name
    cdef readonly object array
    cdef object flat
    cdef char code
    cdef char* memory
    cdef Py_ssize_t count, size

    def __init__(self, str name, object array, str code):
        self.name, self.array, self.flat = name, array, array.reshape(-1)
        self.code = <char>ord(code)
        self.memory = <char*><size_t>array.ctypes.data
        self.count, self.size = array.size, array.nbytes

    cdef bint finite(self) noexcept:
        cdef Py_ssize_t index
        if self.code == b"f":
            for index in range(self.count):
                if not isfinite((<float*>self.memory)[index]):
                    return False
        elif self.code == b"d":
            for index in range(self.count):
                if not isfinite((<double*>self.memory)[index]):
                    return False
        elif self.code == b"e":
            for index in range(self.count):
                if (<uint16_t*>self.memory)[index] & 0x7C00 == 0x7C00:
                    return False
        return True


cdef class Meter:
    """What the lane answered of one kind since somebody asked. Each of its methods is one step to other threads.

    Args:
        key: model, version, role and protocol.
        generation: of the table in force.
        share: of the requests, those whose tensors are kept.
    """

    cdef readonly tuple key
    cdef public double share
    cdef public long long generation
    cdef array.array _latencies
    cdef int64_t _rows, _requests, _served_rows, _busy, _input, _engine, _last

    def __init__(self, tuple key, long long generation, double share):
        self.key, self.generation, self.share = key, generation, share
        self._latencies = array.array("q")

    @property
    def idle(self):
        """Whether there is nothing to take or to settle."""
        return not self._requests and not len(self._latencies)

    def take(self):
        """The generation, a latency in ns for each request and the sum of rows, since the last call."""
        cdef array.array fresh = array.array("q"), latencies
        cdef int64_t rows = self._rows
        latencies, self._latencies, self._rows = self._latencies, fresh, 0
        return self.generation, latencies, rows

    def settle(self, count):
        """Add what was answered since the last call to a `tally.Count`."""
        if not self._requests:
            return
        count.requests += self._requests
        count.rows += self._served_rows
        count.busy_ns += self._busy
        count.input_ns += self._input
        count.engine_ns += self._engine
        count.last = time.time() - (now_ns() - self._last) / 1e9
        self._requests = self._served_rows = self._busy = self._input = self._engine = 0

    cdef void add(self, int64_t rows, int64_t begun, int64_t arrived, int64_t ran, int64_t ended):
        cdef int64_t latency = ran - arrived
        array.extend_buffer(self._latencies, <char*>&latency, 1)
        self._rows += rows
        self._requests += 1
        self._served_rows += rows
        self._busy += ended - begun
        self._input += arrived - begun
        self._engine += latency
        self._last = ended


cdef class Layout:
    """The words of a body, known by those in front of its first tensor, and where tensors stand between them.

    Args:
        inputs: in the order of the body.
        words: what stands before each tensor and, last, behind them.
        text: whether the tensors are numbers of JSON, or else raw bytes.
    """

    cdef readonly list inputs
    cdef list words
    cdef bint text
    cdef readonly str model, protocol
    cdef readonly object pinned
    cdef readonly int64_t rows
    cdef public object table, route, choice

    def __init__(self, list inputs, list words, bint text, str model, object pinned, str protocol, rows):
        self.inputs, self.words, self.text = inputs, words, text
        self.model, self.pinned, self.protocol, self.rows = model, pinned, protocol, rows

    def reads(self, bytes rest):
        """As `read`, of what stands behind the bytes that name the layout."""
        cdef const char* at = PyBytes_AS_STRING(rest)
        return self.read(at, at + PyBytes_GET_SIZE(rest))

    cdef bint read(self, const char* at, const char* end) noexcept:
        """Whether the body has these words; its tensors are then in the inputs' memory."""
        cdef Py_ssize_t index, length
        cdef bytes words
        cdef Tensor tensor
        for index in range(len(self.words)):
            words = <bytes>self.words[index]
            length = PyBytes_GET_SIZE(words)
            if end - at < length or memcmp(at, PyBytes_AS_STRING(words), length):
                return False
            at += length
            if index == len(self.inputs):
                break
            tensor = <Tensor>self.inputs[index]
            if self.text:
                at = read_numbers(at, end, tensor.code, tensor.memory, tensor.count)
                if at == NULL:
                    return False
            else:
                if end - at < tensor.size:
                    return False
                memcpy(tensor.memory, at, tensor.size)
                at += tensor.size
        return at == end


cdef class Answer:
    """How an answer is written.

    Args:
        parts: words, and None where something differs from answer to answer.
        slots: what comes in the place of each None: the number of an output, `ID` for the prediction id, or
            `LENGTH` for how many bytes stand behind it from `body` on.
        text: whether outputs go as JSON, or else as raw bytes.
        body: how many bytes of the words are the body's.
    """

    cdef list parts, slots
    cdef bint text
    cdef Py_ssize_t body

    def __init__(self, list parts, list slots, bint text, Py_ssize_t body):
        self.parts, self.slots, self.text, self.body = parts, slots, text, body

    cdef bytes write(self, list outputs, bytes prediction_id):
        cdef list parts = list(self.parts)
        cdef Py_ssize_t body = self.body, place = -1, length_at = -1, index
        cdef int slot
        cdef bytes part
        cdef Tensor tensor
        for index in range(len(self.slots)):
            place += 2
            slot = <int>self.slots[index]
            if slot == LENGTH:
                length_at = place
                continue
            if slot == ID:
                part = prediction_id
            else:
                tensor = <Tensor>outputs[slot]
                if self.text:
                    part = <bytes>dumps(tensor.flat, None, NUMPY)
                else:
                    part = PyBytes_FromStringAndSize(tensor.memory, tensor.size)
                body += PyBytes_GET_SIZE(part)
            parts[place] = part
        if length_at > 0:
            parts[length_at] = b"%d" % body
        return b"".join(parts)


cdef class Plan:
    """How one version answers one layout. Dies with the version.

    Args:
        run: reads the layout's inputs and fills `outputs`.
        invalid: whether outputs by name break what was declared of them; None if nothing was.
    """

    cdef object run, invalid
    cdef list outputs
    cdef Answer answer
    cdef Meter meter

    def __init__(self, object run, list outputs, Answer answer, object invalid):
        self.run, self.outputs, self.answer, self.invalid = run, outputs, answer, invalid

    def arrays(self):
        """The outputs by name, as the last run left them."""
        return {(<Tensor>tensor).name: (<Tensor>tensor).array for tensor in self.outputs}

    def written(self, bytes prediction_id):
        """The answer with the outputs of the last run."""
        return self.answer.write(self.outputs, prediction_id)

    cdef bint sound(self):
        cdef Py_ssize_t index
        for index in range(len(self.outputs)):
            if not (<Tensor>self.outputs[index]).finite():
                return False
        return self.invalid is None or not self.invalid(self.arrays())


cdef class Bodies:
    """The layouts that are known behind some heads, by the bytes in front of their first tensor.

    Args:
        kind: `JSON`, `GRPC`, or how many bytes of JSON stand in front of raw tensors.
    """

    cdef Py_ssize_t kind
    cdef dict layouts
    cdef dict ends

    def __init__(self, Py_ssize_t kind):
        self.kind, self.layouts, self.ends = kind, {}, {}

    def __len__(self):
        return len(self.layouts)

    def add(self, bytes start, Py_ssize_t length, Layout layout):
        """Know a layout whose bodies begin with `start`; those of gRPC all have this length."""
        self.layouts[start] = layout
        self.ends.setdefault(length, set()).add(len(start))

    def known(self, bytes start):
        return self.layouts.get(start)

    cdef Layout find(self, const char* body, Py_ssize_t length, Py_ssize_t* end):
        cdef const char* at
        if self.kind == GRPC:
            for each in self.ends.get(length, ()):
                end[0] = each
                layout = self.layouts.get(PyBytes_FromStringAndSize(body, end[0]))
                if layout is not None:
                    return <Layout>layout
            return None
        if self.kind == JSON:
            at = <const char*>memmem(body, length, b'"data"', 6)
            if at != NULL:
                at = <const char*>memchr(at, b"[", body + length - at)
            if at == NULL:
                return None
            end[0] = at - body
        elif self.kind > length:
            return None
        else:
            end[0] = self.kind
        return <Layout>self.layouts.get(PyBytes_FromStringAndSize(body, end[0]))


cdef class Head:
    """What is known of a head: how its body comes, and what its body may be.

    Args:
        length: of the body, or `CHUNKED`.
        headers: lower-case names and values.
    """

    cdef Py_ssize_t length
    cdef Bodies bodies
    cdef object headers

    def __init__(self, Py_ssize_t length, Bodies bodies, object headers):
        self.length, self.bodies, self.headers = length, bodies, headers


cdef class Lane:
    """Answers what it was taught.

    Args:
        host: an `express.Express`, which is asked whatever is not the same for every request.
        routes: whose table is in force.
        ids: what prediction ids begin with.
        most: requests that a meter holds; a tap that is behind has to drop, which is not done here.
    """

    cdef object host, routes, loaded, pressure, gate
    cdef bytes ids
    cdef uint64_t number, state
    cdef Py_ssize_t most
    cdef int64_t slow
    cdef dict heads

    def __init__(self, object host, object routes, object pressure, object gate, bytes ids, uint64_t seed,
                 Py_ssize_t most, int64_t slow_ns):
        self.host, self.routes, self.loaded, self.pressure, self.gate = (
            host, routes, routes.loaded, pressure, gate
        )
        self.ids, self.state, self.most, self.slow = ids, seed | 1, most, slow_ns
        self.heads = {}

    def __len__(self):
        return len(self.heads)

    def add(self, bytes head, Head known):
        self.heads[head] = known

    def forget(self):
        self.heads = {}

    def answer(self, bytes data):
        """The answer to a whole request, or None: it is not known well enough, or not whole."""
        cdef int64_t begun = now_ns(), arrived, ran, ended
        cdef const char* at = PyBytes_AS_STRING(data)
        cdef const char* end = at + PyBytes_GET_SIZE(data)
        cdef const char* body = <const char*>memmem(at, end - at, b"\r\n\r\n", 4)
        cdef Py_ssize_t start = 0
        cdef Head head
        cdef Layout layout
        cdef Plan plan
        cdef bytes prediction_id
        if body == NULL or self.pressure.high:
            return None
        body += 4
        head = <Head>self.heads.get(PyBytes_FromStringAndSize(at, body - at))
        if head is None:
            return None
        if head.length != CHUNKED:
            if end - body != head.length:
                return None
        elif not one_chunk(&body, &end):
            return None
        layout = head.bodies.find(body, end - body, &start)
        if layout is None or not layout.read(body + start, end):
            return None
        arrived = now_ns()
        if layout.table is not self.routes.table and not self.host.renews(layout):
            return None
        if self.gate is not None and not self.gate.admits(head.headers, layout.model):
            return None
        choice = layout.choice
        if choice is None:
            choice = self.host.drawn(layout.route)
        version = self.loaded(layout.model, choice[0])
        if version is None:
            return None
        plans = getattr(version, "plans", None)
        if plans is None:
            return None
        plan = <Plan>(<dict>plans).get(layout)
        if plan is None:
            return None
        if plan.meter is None or plan.meter.key[2] is not choice[1]:
            plan.meter = <Meter>self.host.meter(layout, choice)
        if len(plan.meter._latencies) >= self.most:
            return None
        try:
            plan.run()
        except Exception:  # the usual way says what is wrong
            return None
        if not plan.sound():
            return None
        ran = now_ns()
        self.number += 1
        prediction_id = self.ids + b"%09x" % self.number
        answer = plan.answer.write(plan.outputs, prediction_id)
        ended = now_ns()
        plan.meter.add(layout.rows, begun, arrived, ran, ended)
        if plan.meter.share >= 1.0 or self.chance() < plan.meter.share:
            self.host.keep(layout, plan, choice, prediction_id)
        if ended - begun > self.slow:
            self.host.slow(layout, choice, prediction_id, head.headers, ended - begun)
        return answer

    cdef double chance(self) noexcept:
        # xorshift64* (Vigna, 2016): what is kept of traffic is a sample, and no secret.
        self.state ^= self.state >> 12
        self.state ^= self.state << 25
        self.state ^= self.state >> 27
        return ((self.state * <uint64_t>2685821657736338717ULL) >> 11) * (1.0 / 9007199254740992.0)


cdef bint one_chunk(const char** body, const char** end) noexcept:
    """Whether a body is one chunk and the last one, without extensions or trailers; if so, its bounds."""
    cdef const char* at = body[0]
    cdef Py_ssize_t size = 0
    cdef char letter
    while at < end[0] and at - body[0] < 8:
        letter = at[0]
        if 48 <= letter <= 57:
            size = size * 16 + letter - 48
        elif 97 <= (letter | 32) <= 102:
            size = size * 16 + (letter | 32) - 87
        else:
            break
        at += 1
    if at == body[0] or size == 0 or end[0] - at != size + 9:
        return False
    if memcmp(at, b"\r\n", 2) or memcmp(end[0] - 7, b"\r\n0\r\n\r\n", 7):
        return False
    body[0] = at + 2
    end[0] -= 7
    return True
