# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Lists of numbers in JSON, read into arrays."""

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
