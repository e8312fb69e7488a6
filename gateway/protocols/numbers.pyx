# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Lists of numbers in JSON, read into arrays."""

from libc.string cimport memchr

from gateway.protocols.numbers cimport read_numbers


def read(const unsigned char[::1] text, Py_ssize_t start, object array, str code):
    """Fill an array with the numbers that stand from `start` on, with commas between them.

    Args:
        array: C-contiguous, of at least one element; what is in it after a failure is undefined.
        code: `struct`'s for its elements.

    Returns:
        Where they end, with blanks behind them, or -1 if there are not as many, or others than fit.
    """
    cdef const char* first = <const char*>&text[0]
    cdef void* memory = <void*><size_t>array.ctypes.data
    cdef const char* at = read_numbers(
        first + start, first + text.shape[0], <char>ord(code), memory, array.size
    )
    return -1 if at == NULL else at - first


def minus_zero(const unsigned char[::1] text):
    """Whether `-0` stands somewhere, with behind it what may stand behind a number."""
    cdef const char* at = <const char*>&text[0]
    cdef const char* last = at + text.shape[0] - 2
    while at < last:
        at = <const char*>memchr(at, b"-", last - at)
        if at == NULL:
            return False
        at += 1
        if at[0] == b"0" and (at[1] in (b",", b"]", b"}") or at[1] in (32, 10, 13, 9)):
            return True
    return False
