# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""How a request is read whose words are known, and how its answer is written: tensors stay where they are.

Plain memory and no decisions: `express.py` makes plans, `lane.pyx` follows them.
"""

import orjson
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.math cimport isfinite
from libc.stdint cimport uint16_t
from libc.string cimport memcmp, memcpy

from gateway.protocols.numbers cimport read_numbers

cdef enum:
    BODY_LENGTH = -1
    PREDICTION_ID = -2

LENGTH, ID = BODY_LENGTH, PREDICTION_ID
"""Slots of an `Answer` beside the numbers of its outputs."""

cdef object dumps = orjson.dumps
cdef object NUMPY = orjson.OPT_SERIALIZE_NUMPY


cdef class Tensor:
    """The memory of one C-contiguous numpy array, which requests write or a run fills.

    Args:
        code: `struct`'s for its elements, "e" for FP16.
    """

    def __init__(self, str name, object array, str code):
        self.name, self.array, self.flat = name, array, array.reshape(-1)
        self.code = <char>ord(code)
        self.memory = <char*><size_t>array.ctypes.data
        self.count, self.size, self.item = array.size, array.nbytes, array.itemsize

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


cdef class Layout:
    """The words of a body, known by those in front of its first tensor, and where tensors stand between them.

    Args:
        inputs: in the order of the body.
        words: what stands before each run of elements and, last, behind them.
        runs: how many elements there are in each, tensor by tensor; a nested list of JSON has several.
        text: whether the elements are numbers of JSON, or else raw bytes.

    `other` is one that begins alike: for bodies whose later words are not these.
    """

    def __init__(
        self, list inputs, list words, list runs, bint text, str model, object pinned, str protocol, rows
    ):
        if [sum(each) for each in runs] != [tensor.array.size for tensor in inputs]:
            raise ValueError("the runs hold other numbers of elements than the inputs")
        self.inputs, self.words, self.runs, self.text = inputs, words, runs, text
        self.model, self.pinned, self.protocol, self.rows = model, pinned, protocol, rows
        self.ways = []

    def reads(self, bytes rest):
        """As `read`, of what stands behind the bytes that name the layout."""
        cdef const char* at = PyBytes_AS_STRING(rest)
        return self.read(at, at + PyBytes_GET_SIZE(rest))

    cdef bint read(self, const char* at, const char* end) noexcept:
        """Whether the body has these words; its tensors are then in the inputs' memory."""
        cdef Py_ssize_t index, count, size, word = 0
        cdef Tensor tensor
        cdef char* memory
        for index in range(len(self.inputs)):
            tensor = <Tensor>self.inputs[index]
            memory = tensor.memory
            for count in <list>self.runs[index]:
                at = after(<bytes>self.words[word], at, end)
                if at == NULL:
                    return False
                size = count * tensor.item
                if self.text:
                    at = read_numbers(at, end, tensor.code, memory, count)
                    if at == NULL:
                        return False
                elif end - at < size:
                    return False
                else:
                    memcpy(memory, at, size)
                    at += size
                memory += size
                word += 1
        return after(<bytes>self.words[word], at, end) == end


cdef inline const char* after(bytes words, const char* at, const char* end) noexcept:
    """Where these words end, NULL if other ones stand there."""
    cdef Py_ssize_t length = PyBytes_GET_SIZE(words)
    if end - at < length or memcmp(at, PyBytes_AS_STRING(words), length):
        return NULL
    return at + length


cdef class Answer:
    """How an answer is written.

    Args:
        parts: words, and None where something differs from answer to answer.
        slots: what comes in the place of each None: the number of an output, `ID` for the prediction id, or
            `LENGTH` for how many bytes stand behind it from `body` on.
        text: whether outputs go as JSON, or else as raw bytes.
        body: how many bytes of the words are the body's.
    """

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
            if slot == BODY_LENGTH:
                length_at = place
                continue
            if slot == PREDICTION_ID:
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
