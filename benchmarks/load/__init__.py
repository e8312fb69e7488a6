"""Throughput and latency of one small model, one system at a time in turns on the same machine."""
