# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The express lane, compiled: from the bytes of a request whose words are known to the bytes of its answer.

It knows nothing of protocols and decides nothing: what it may answer, and how, it is taught by `express.py`
from requests that went the usual way. None means that this one has to go it too.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from gateway.server.express.meter cimport Meter, now_ns
from gateway.server.express.plans cimport Layout, Plan

cdef enum:
    USED_NS = 1_000_000_000
    IN_CHUNKS = -1
    ALL_JSON = -1
    MESSAGE = -2
    ID_DIGITS = 12

MOST_HEADS = 8192
MOST_ENDS = 16
"""Of the words in front of messages of one length. Each is tried in turn, so nobody may add to them without end."""
MOST_ALIKE = 4
"""Layouts with the same words in front of their first tensor. Each is tried in turn, too."""
CHUNKED = IN_CHUNKS
"""The length of a body that says it itself."""
JSON, GRPC = ALL_JSON, MESSAGE
"""Kinds of `Bodies`."""


cdef const char* DIGITS = "0123456789abcdef"


cdef extern from "string.h":
    void* memmem(const void* text, size_t length, const void* part, size_t part_length) noexcept


cdef class Bodies:
    """The layouts that are known behind some heads, by the bytes in front of their first tensor.

    Args:
        kind: `JSON`, `GRPC`, or how many bytes of JSON stand in front of raw tensors.
    """

    def __init__(self, Py_ssize_t kind):
        self.kind, self.layouts, self.ends = kind, {}, {}

    def __len__(self):
        return len(self.layouts)

    def add(self, bytes start, Py_ssize_t length, Layout layout):
        """Know a layout whose bodies begin with `start`; those of gRPC all have this length."""
        alike = self.alike(start)
        if layout not in alike:
            if not alike or len(alike) >= MOST_ALIKE:
                self.layouts[start] = layout
            else:
                alike[len(alike) - 1].other = layout
        if self.kind == MESSAGE:
            ends = self.ends.setdefault(length, set())
            if len(ends) >= MOST_ENDS:
                ends.clear()
            ends.add(len(start))

    def known(self, bytes start, bytes rest):
        """The layout of a body: its words in front of the first tensor, and what stands behind them."""
        for layout in self.alike(start):
            if layout.reads(rest):
                return layout
        return None

    def alike(self, bytes start):
        """The layouts whose bodies begin so, in the order in which they are tried."""
        found, layout = [], self.layouts.get(start)
        while layout is not None:
            found.append(layout)
            layout = layout.other
        return found

    cdef Layout find(self, const char* body, Py_ssize_t length, Py_ssize_t* end):
        cdef const char* at
        if self.kind == MESSAGE:
            for each in self.ends.get(length, ()):
                end[0] = each
                layout = self.layouts.get(PyBytes_FromStringAndSize(body, end[0]))
                if layout is not None:
                    return <Layout>layout
            return None
        if self.kind == ALL_JSON:
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

    def __init__(self, Py_ssize_t length, Bodies bodies, object headers):
        self.length, self.bodies, self.headers = length, bodies, headers


cdef class Way:
    """Who answers a layout once a version is chosen.

    Of a version it holds nothing but the plans, which are emptied when it leaves memory: so this keeps none there.
    """


cdef class Lane:
    """Answers what it was taught.

    Args:
        host: an `express.Express`, which is asked whatever is not the same for every request.
        routes: whose table is in force.
        ids: what prediction ids begin with.
        most: requests that a meter holds; a tap that is behind has to drop, which is not done here.
    """

    def __init__(self, object host, object routes, object pressure, object gate, bytes ids, uint64_t seed,
                 Py_ssize_t most, int64_t slow_ns):
        self.host, self.routes, self.loaded, self.pressure, self.gate = (
            host, routes, routes.loaded, pressure, gate
        )
        self.ids, self.state, self.most, self.slow = ids, seed | 1, most, slow_ns
        self.heads = {}

    def knows(self, bytes head):
        return head in self.heads

    def add(self, bytes head, Head known):
        """Know a head; of too many the one that was learnt first is forgotten."""
        if len(self.heads) >= MOST_HEADS:
            del self.heads[next(iter(self.heads))]
        self.heads[head] = known

    def forget(self):
        self.heads = {}

    def answer(self, bytes data):
        """The answer to a whole request, or None: it is not known well enough, or not whole."""
        return self.answered(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    cdef bytes answered(self, const char* at, Py_ssize_t length):
        cdef int64_t begun = now_ns()
        cdef const char* end = at + length
        cdef const char* body = <const char*>memmem(at, end - at, b"\r\n\r\n", 4)
        cdef Py_ssize_t start = 0
        cdef Head head
        cdef Layout layout
        cdef bytes answer
        if body == NULL or self.pressure.high:
            return None
        body += 4
        head = <Head>self.heads.get(PyBytes_FromStringAndSize(at, body - at))
        if head is None:
            return None
        if head.length != IN_CHUNKS:
            if end - body != head.length:
                return None
        elif not one_chunk(&body, &end):
            return None
        layout = head.bodies.find(body, end - body, &start)
        while layout is not None and not layout.read(body + start, end):
            layout = layout.other
        if layout is None:
            return None
        if layout.table is not self.routes.table and not self.host.renews(layout):
            return None
        if self.gate is not None and not self.gate.admits(head.headers, layout.model):
            return None
        if layout.choice is not None:
            return self.by(layout.choice, layout, head, begun)
        choice = layout.route.drawn(layout.draws())
        answer = self.by(choice, layout, head, begun)
        if answer is None:  # the usual way must draw the same, or what cannot go this way is never drawn there
            layout.draws.undo()
        return answer

    cdef bytes by(self, object choice, Layout layout, Head head, int64_t begun):
        """The answer of the version that was chosen, recorded. None as for `answer`."""
        cdef int64_t arrived = now_ns(), ran, ended
        cdef Way way = self.way(choice, layout, arrived)
        cdef Plan plan
        cdef Meter meter
        cdef bytes prediction_id, answer
        if way is None or len(way.meter.latencies) >= self.most:
            return None
        plan, meter = <Plan>way.plans.get(layout), way.meter
        try:
            plan.run()
            if not plan.sound():
                return None
        except Exception:  # the usual way says what is wrong
            return None
        ran = now_ns()
        self.number += 1
        prediction_id = numbered(self.ids, self.number)
        answer = plan.answer.write(plan.outputs, prediction_id)
        ended = now_ns()
        meter.add(layout.rows, begun, arrived, ran, ended)
        if meter.share >= 1.0 or self.chance() < meter.share:
            self.host.keep(layout, plan, choice, prediction_id)
        if ended - begun > self.slow:
            self.host.slow(layout, choice, prediction_id, head.headers, ended - begun)
        return answer

    cdef Way way(self, object choice, Layout layout, int64_t now):
        """The way of a version that is in memory and has a plan for the layout; None if there is none."""
        cdef Way way, found = None
        for each in layout.ways:
            way = <Way>each
            if way.choice is choice:
                found = way
                break
        if found is not None and now - found.used_at < USED_NS and layout in found.plans:
            return found
        # Counts as a use of the version; to a second is enough to tell which is the longest unused.
        plans = getattr(self.loaded(layout.model, choice[0]), "plans", None)
        if not plans or layout not in <dict>plans:
            return None
        if found is None:
            found = Way.__new__(Way)
            found.choice, found.meter = choice, <Meter>self.host.meter(layout, choice)
            layout.ways.append(found)
        found.plans, found.used_at = <dict>plans, now
        return found

    cdef double chance(self) noexcept:
        # xorshift64* (Vigna, 2016): what is kept of traffic is a sample, and no secret.
        self.state ^= self.state >> 12
        self.state ^= self.state << 25
        self.state ^= self.state >> 27
        return ((self.state * <uint64_t>2685821657736338717ULL) >> 11) * (1.0 / 9007199254740992.0)


cdef bytes numbered(bytes prefix, uint64_t number):
    """A prediction id: what it begins with, and its number. Always as long: a message of gRPC says its lengths."""
    cdef Py_ssize_t length = PyBytes_GET_SIZE(prefix), place
    cdef bytes made = PyBytes_FromStringAndSize(NULL, length + ID_DIGITS)
    cdef char* at = PyBytes_AS_STRING(made)
    memcpy(at, PyBytes_AS_STRING(prefix), length)
    for place in range(length + ID_DIGITS - 1, length - 1, -1):
        at[place] = DIGITS[number & 15]
        number >>= 4
    return made


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
