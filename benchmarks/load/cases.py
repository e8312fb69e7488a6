"""What is asked, and how: a model, a protocol, and how many ask at once."""

from dataclasses import dataclass
from typing import Literal

Protocol = Literal["json", "binary", "grpc"]


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the benchmark. `at_once` is connections over HTTP, streams over gRPC."""

    title: str
    model: str
    protocol: Protocol
    at_once: int


CASES = {
    "json": Case("logistic regression 1×30, HTTP JSON, 32 connections", "logistic", "json", 32),
    "json-one": Case("logistic regression 1×30, HTTP JSON, 1 connection", "logistic", "json", 1),
    "grpc": Case("logistic regression 1×30, gRPC, 32 streams", "logistic", "grpc", 32),
    "grpc-one": Case("logistic regression 1×30, gRPC, 1 stream", "logistic", "grpc", 1),
    "binary-1mb": Case("1 MiB of FP32 there and back, HTTP binary, 8 connections", "identity", "binary", 8),
    "grpc-1mb": Case("1 MiB of FP32 there and back, gRPC, 8 streams", "identity", "grpc", 8),
    "image-json": Case("1×3×224×224 FP32 as HTTP JSON, 8 connections", "image", "json", 8),
}
