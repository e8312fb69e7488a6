"""Arrays of any V2 datatype, drawn by hypothesis."""

from collections.abc import Collection

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gateway.core.types import NUMPY_DTYPES, Array


def tensors(without: Collection[str] = ("BYTES",)) -> st.SearchStrategy[Array]:
    """Of up to 3 dimensions, some without elements."""
    names = [name for name in NUMPY_DTYPES if name not in without]
    return st.sampled_from(names).flatmap(_of)


def _of(name: str) -> st.SearchStrategy[Array]:
    shapes = arrays.array_shapes(min_dims=0, min_side=0, max_dims=3)
    if name == "BF16":  # hypothesis knows numpy's own types only
        return arrays.arrays(np.uint16, shapes).map(lambda bits: bits.view(NUMPY_DTYPES[name]))
    return arrays.arrays(NUMPY_DTYPES[name], shapes)
