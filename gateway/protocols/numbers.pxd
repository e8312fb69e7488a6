"""Numbers of JSON, from text into the memory of a tensor. Accepts what RFC 8259 does, and nothing else."""

from libc.math cimport isfinite
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)


cdef extern from "Python.h":
    double PyOS_string_to_double(const char* text, char** end, object overflow) except? -1.0


cdef extern from *:
    """
    #include <float.h>
    #include <stdint.h>
    #include <string.h>

    /* Powers of ten that a double holds exactly. */
    static const double EXACT_TEN[] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

    /* One exact operation (Clinger, 1990) for up to 15 digits. For up to 19, one in the 64 bits of x87, which is
       rounded a second time: that goes wrong only where the first result lies half way between two doubles. */
    static int by_one_operation(uint64_t digits, int seen, int power, double* number) {
        if (seen <= 15 && power >= -22 && power <= 22) {
            *number = power < 0 ? (double)digits / EXACT_TEN[-power] : (double)digits * EXACT_TEN[power];
            return 1;
        }
    #if LDBL_MANT_DIG == 64
        if (seen <= 19 && power >= -22 && power <= 22) {
            long double ten = (long double)EXACT_TEN[power < 0 ? -power : power];
            long double value = power < 0 ? (long double)digits / ten : (long double)digits * ten;
            uint64_t mantissa;
            memcpy(&mantissa, &value, sizeof mantissa);
            *number = (double)value;
            return (mantissa & 0x7ff) != 0x400;
        }
    #endif
        return 0;
    }

    static const uint64_t WHOLE_TEN[] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

    /* How many of the next eight bytes are digits before another one comes, and the number that they are.
       All eight at once, after Lemire (2022). */
    static inline int eight_bytes(const char* at, uint64_t* number) {
        uint64_t bytes, others;
        int count;
        memcpy(&bytes, at, sizeof bytes);
        bytes ^= 0x3030303030303030;
        others = (((bytes & 0x7F7F7F7F7F7F7F7F) + 0x7676767676767676) | bytes) & 0x8080808080808080;
        count = others ? __builtin_ctzll(others) >> 3 : 8;
        bytes = bytes << (8 - count) * 4 << (8 - count) * 4;  /* 64 at once is not defined */
        bytes = bytes * 10 + (bytes >> 8);
        *number = ((bytes & 0x000000FF000000FF) * 0x000F424000000064
                   + ((bytes >> 16) & 0x000000FF000000FF) * 0x0000271000000001) >> 32;
        return count;
    }

    /* Puts what the next sixteen bytes begin with behind two digits at most; how many more digits they are now.
       Numbers differ in length, and a wrong guess of the processor costs as much as this: so there are no branches. */
    static inline int sixteen_bytes(const char* at, uint64_t* digits) {
    #if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        uint64_t first, second;
        int count = eight_bytes(at, &first), more = eight_bytes(at + 8, &second);
        more &= -(count == 8);
        second &= -(uint64_t)(more > 0);
        *digits = (*digits * WHOLE_TEN[count] + first) * WHOLE_TEN[more] + second;
        return count + more;
    #else
        return 0;
    #endif
    }

    static inline double with_sign(double number, int negative) {
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        bits ^= (uint64_t)negative << 63;
        memcpy(&number, &bits, sizeof bits);
        return number;
    }
    """
    int sixteen_bytes(const char* at, uint64_t* digits) noexcept
    double with_sign(double number, int negative) noexcept
    bint by_one_operation(uint64_t digits, int seen, int power, double* number) noexcept


cdef inline const char* skip_blank(const char* at, const char* end) noexcept:
    while at < end and (at[0] == 32 or at[0] == 10 or at[0] == 13 or at[0] == 9):
        at += 1
    return at


cdef inline bint digit(const char* at, const char* end) noexcept:
    return at < end and 48 <= at[0] <= 57


cdef inline const char* read_whole(const char* at, const char* end, int64_t* number) noexcept:
    """A whole number of up to 18 digits. NULL for anything else, -0 too."""
    cdef bint negative = at < end and at[0] == b"-"
    cdef const char* first
    cdef int64_t total = 0
    at += negative
    first = at
    while digit(at, end):
        total = total * 10 + (at[0] - 48)
        at += 1
        if at - first > 18:
            return NULL
    if at == first or (first[0] == 48 and at - first > 1) or (negative and total == 0):
        return NULL
    if at < end and (at[0] == b"." or at[0] == b"e" or at[0] == b"E"):
        return NULL
    number[0] = -total if negative else total
    return at


cdef inline const char* read_double(const char* at, const char* end, double* number) noexcept:
    """The double nearest to a number. NULL for anything else, and for what no double holds."""
    cdef const char* start = at
    cdef bint negative = at < end and at[0] == b"-"
    cdef bint whole = True, fall
    cdef uint64_t digits = 0
    cdef int seen = 0, power = 0, said = 0, count
    cdef char* stop
    cdef double value = 0
    at += negative
    if not digit(at, end) or (at[0] == 48 and digit(at + 1, end)):
        return NULL
    while digit(at, end):
        if seen < 19:
            digits = digits * 10 + <uint64_t>(at[0] - 48)
        seen += digits > 0
        at += 1
    if at < end and at[0] == b".":
        whole = False
        at += 1
        if not digit(at, end):
            return NULL
        if seen <= 2 and end - at >= 16:
            count = sixteen_bytes(at, &digits)
            power -= count
            seen += count if digits else 0
            at += count
        while digit(at, end):
            if seen < 19:
                digits = digits * 10 + <uint64_t>(at[0] - 48)
                power -= 1
            seen += digits > 0
            at += 1
    if at < end and (at[0] == b"e" or at[0] == b"E"):
        whole = False
        at += 1
        fall = at < end and at[0] == b"-"
        if at < end and (at[0] == b"-" or at[0] == b"+"):
            at += 1
        if not digit(at, end):
            return NULL
        while digit(at, end):
            if said < 10000:
                said = said * 10 + (at[0] - 48)
            at += 1
        power += -said if fall else said
    if whole and seen > 18:
        return NULL  # readers differ about these
    if by_one_operation(digits, seen, power, &value):
        number[0] = with_sign(value, negative)
        return at
    try:
        number[0] = PyOS_string_to_double(start, &stop, None)
    except Exception:
        return NULL
    return at if stop == at and isfinite(number[0]) else NULL


cdef inline bint put_whole(char code, void* memory, Py_ssize_t index, int64_t number) noexcept:
    """Whether the number fits the type of `struct`'s code, and if so it is in its place."""
    if code == b"q":
        (<int64_t*>memory)[index] = number
        return True
    if code == b"i":
        (<int32_t*>memory)[index] = <int32_t>number
        return <int32_t>number == number
    if code == b"h":
        (<int16_t*>memory)[index] = <int16_t>number
        return <int16_t>number == number
    if code == b"b":
        (<int8_t*>memory)[index] = <int8_t>number
        return <int8_t>number == number
    if number < 0:
        return False
    if code == b"Q":
        (<uint64_t*>memory)[index] = <uint64_t>number
        return True
    if code == b"I":
        (<uint32_t*>memory)[index] = <uint32_t>number
        return <uint32_t>number == number
    if code == b"H":
        (<uint16_t*>memory)[index] = <uint16_t>number
        return <uint16_t>number == number
    if code == b"B":
        (<uint8_t*>memory)[index] = <uint8_t>number
        return <uint8_t>number == number
    return False


cdef inline const char* read_numbers(
    const char* at, const char* end, char code, void* memory, Py_ssize_t count
) noexcept:
    """`count` numbers with commas between them, into memory. Where they end, or NULL if they are not that."""
    cdef Py_ssize_t index
    cdef double number = 0
    cdef int64_t whole = 0
    for index in range(count):
        at = skip_blank(at, end)
        if index:
            if at == end or at[0] != b",":
                return NULL
            at = skip_blank(at + 1, end)
        if code == b"f" or code == b"d":
            at = read_double(at, end, &number)
            if at == NULL:
                return NULL
            if code == b"d":
                (<double*>memory)[index] = number
            else:
                (<float*>memory)[index] = <float>number
                if not isfinite((<float*>memory)[index]):
                    return NULL
        else:
            at = read_whole(at, end, &whole)
            if at == NULL or not put_whole(code, memory, index, whole):
                return NULL
    return skip_blank(at, end)
