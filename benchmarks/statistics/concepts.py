"""Streams whose concept is known: the published generators, and what each says of a row.

Agrawal, Imielinski and Swami 1993; SEA: Street and Kim 2001; Sine: Gama et al. 2004; STAGGER: Schlimmer and
Granger 1986; LED: Breiman et al. 1984. Parameters are those of MOA and river; SEA's labels and LED's segments
have 10 % noise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Truth = NDArray[np.bool_]
Band = tuple[float, float]
Draw = Callable[[np.random.Generator, int, int], tuple[Floats, Ints]]
"""Rows of one concept: (chance, concept, rows) to features [rows, features] and classes [rows]."""

NOISE = 0.1
SEGMENTS = np.array(
    [
        [1, 1, 1, 0, 1, 1, 1],
        [0, 0, 1, 0, 0, 1, 0],
        [1, 0, 1, 1, 1, 0, 1],
        [1, 0, 1, 1, 0, 1, 1],
        [0, 1, 1, 1, 0, 1, 0],
        [1, 1, 0, 1, 0, 1, 1],
        [1, 1, 0, 1, 1, 1, 1],
        [1, 0, 1, 0, 0, 1, 0],
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 0, 1, 1],
    ],
    np.float64,
)
"""Of a seven-segment display, by digit."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A generator and how many concepts it has."""

    draw: Draw
    concepts: int


def sea(rng: np.random.Generator, concept: int, rows: int) -> tuple[Floats, Ints]:
    x = rng.uniform(0, 10, (rows, 3))
    truth = x[:, 0] + x[:, 1] <= (8.0, 9.0, 7.0, 9.5)[concept]
    return x, np.asarray(truth ^ (rng.random(rows) < NOISE), np.int64)


def sine(rng: np.random.Generator, concept: int, rows: int) -> tuple[Floats, Ints]:
    x = rng.random((rows, 2))
    curve = np.sin(x[:, 0]) if concept < 2 else 0.5 + 0.3 * np.sin(3 * np.pi * x[:, 0])
    return x, np.asarray((x[:, 1] <= curve) ^ (concept % 2 == 1), np.int64)


def stagger(rng: np.random.Generator, concept: int, rows: int) -> tuple[Floats, Ints]:
    x = rng.integers(0, 3, (rows, 3))
    size, color, shape = x.T
    small_and_red = (size == 0) & (color == 0)
    truth = (small_and_red, (color == 1) | (shape == 0), size >= 1)[concept]
    return x.astype(np.float64), truth.astype(np.int64)


def led(rng: np.random.Generator, concept: int, rows: int) -> tuple[Floats, Ints]:
    """Seven segments and 17 columns of chance; a concept swaps so many segments with the latter."""
    digits = rng.integers(0, 10, rows)
    lit = np.concatenate([SEGMENTS[digits], rng.integers(0, 2, (rows, 17))], axis=1)
    lit[:, :7] = np.abs(lit[:, :7] - (rng.random((rows, 7)) < NOISE))
    order = np.arange(24)
    swapped = (0, 1, 3, 5, 7)[concept]
    order[:swapped], order[7 : 7 + swapped] = np.arange(7, 7 + swapped), np.arange(swapped)
    return lit[:, order], digits.astype(np.int64)


def agrawal(rng: np.random.Generator, concept: int, rows: int) -> tuple[Floats, Ints]:
    """Loan applicants; the first seven of the ten functions, group A as class 0."""
    salary = rng.uniform(20_000, 150_000, rows)
    commission = np.where(salary >= 75_000, 0.0, rng.uniform(10_000, 75_000, rows))
    age = rng.integers(20, 81, rows).astype(np.float64)
    education = rng.integers(0, 5, rows).astype(np.float64)
    car, zipcode = rng.integers(1, 21, rows), rng.integers(0, 9, rows)
    house = (9 - zipcode) * 100_000 * rng.uniform(0.5, 1.5, rows)
    years = rng.integers(1, 31, rows)
    loan = rng.uniform(0, 500_000, rows)

    pay, credit = salary / 1_000, loan / 1_000
    total = pay + commission / 1_000
    low_pay, high_pay, mid_pay = (50.0, 100.0), (75.0, 125.0), (25.0, 75.0)
    low_loan, mid_loan, high_loan = (100.0, 300.0), (200.0, 400.0), (300.0, 500.0)
    levels = ((0.0, 1.0), (1.0, 3.0), (2.0, 4.0))

    def by_age(young: Truth, middle: Truth, old: Truth) -> Truth:
        return np.where(age < 40, young, np.where(age < 60, middle, old))

    def learned(at: int, inside: Band, outside: Band) -> Truth:
        return np.where(_within(education, levels[at]), _within(pay, inside), _within(pay, outside))

    def paid(band: Band, inside: Band, outside: Band) -> Truth:
        return np.where(_within(pay, band), _within(credit, inside), _within(credit, outside))

    groups: tuple[Callable[[], Truth], ...] = (
        lambda: (age < 40) | (age >= 60),
        lambda: by_age(*(_within(pay, band) for band in (low_pay, high_pay, mid_pay))),
        lambda: by_age(*(_within(education, band) for band in levels)),
        lambda: by_age(
            learned(0, mid_pay, low_pay), learned(1, low_pay, high_pay), learned(2, high_pay, mid_pay)
        ),
        lambda: by_age(
            paid(low_pay, low_loan, mid_loan),
            paid(high_pay, mid_loan, high_loan),
            paid(mid_pay, high_loan, low_loan),
        ),
        lambda: by_age(*(_within(total, band) for band in (low_pay, high_pay, mid_pay))),
        lambda: 2 * total / 3 - credit / 5 - 20 > 0,
    )
    first = groups[concept]()
    x = np.stack([salary, commission, age, education, car, zipcode, house, years, loan], axis=1)
    return x, np.asarray(~first, np.int64)


def _within(values: Floats, band: Band) -> Truth:
    return (values >= band[0]) & (values <= band[1])


STREAMS: Mapping[str, Stream] = {
    "Agrawal": Stream(agrawal, 7),
    "SEA": Stream(sea, 4),
    "Sine": Stream(sine, 4),
    "STAGGER": Stream(stagger, 3),
    "LED": Stream(led, 5),
}
