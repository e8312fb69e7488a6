"""Names files that are not ONNX by their first bytes, so that nothing ever tries to load them."""

HEAD_BYTES = 262

_FORMATS = (
    (0, b"PK\x03\x04", "a zip archive (a PyTorch .pt, a Keras model or a package)"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (0, b"\x1f\x8b", "a gzip file"),
    (0, b"BZh", "a bzip2 file"),
    (0, b"\xfd7zXZ", "an xz file"),
    (0, b"\x89HDF", "an HDF5 file (a Keras model)"),
    (0, b"GGUF", "a GGUF file"),
    (0, b"version https://git-lfs", "a Git LFS pointer (`git lfs pull` fetches the file)"),
    (0, b"<", "a web page or XML, perhaps a download that failed"),
    (0, b"\x93NUMPY", "a NumPy file"),
    (0, b"\x7fELF", "a program or library"),
    (0, b"MZ", "a program or library"),
    (4, b"TFL3", "a TensorFlow Lite model"),
    (8, b"{", "a safetensors file"),
    *((0, bytes((0x78, level)), "a zlib file (a joblib pickle)") for level in (0x01, 0x5E, 0x9C, 0xDA)),
    *(
        (0, bytes((0x80, protocol)), "a pickle, which can run code when it is read")
        for protocol in range(2, 6)
    ),
)


def foreign(head: bytes) -> str:
    """What a file is if it is known not to be ONNX, in words; empty if it may be ONNX.

    Args:
        head: its first `HEAD_BYTES` bytes.
    """
    # A serialised ONNX model begins with its IR version: field 1, varint.
    if head[:1] == b"\x08":
        return ""
    return next((name for at, magic, name in _FORMATS if head[at:].startswith(magic)), "")
