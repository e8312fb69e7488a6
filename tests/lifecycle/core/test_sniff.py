import pickle
import zlib

import pytest

from lifecycle.core.sniff import HEAD_BYTES, foreign


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (pickle.dumps({"weights": [1, 2]}), "pickle"),
        (b"PK\x03\x04" + bytes(12), "zip"),
        (bytes(257) + b"ustar", "tar"),
        (zlib.compress(b"joblib" * 9), "joblib"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!DOCTYPE html>", "a web page"),
        (bytes(4) + b"TFL3", "TensorFlow Lite"),
        ((300).to_bytes(8, "little") + b'{"a":', "safetensors"),
    ],
)
def test_other_formats_are_named(head: bytes, says: str) -> None:
    assert says in foreign(head[:HEAD_BYTES])


def test_onnx_and_the_unknown_pass() -> None:
    assert foreign(b"\x08\x09\x12\x07pytorch{") == ""
    assert foreign(b"") == ""
    assert foreign(b"anything else") == ""
