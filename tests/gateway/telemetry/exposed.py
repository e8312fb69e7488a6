"""Reads metrics as a Prometheus server would."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector, CollectorRegistry


def exposition(collector: Collector) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return generate_latest(registry).decode()


def value(text: str, name: str, **labels: str) -> float | None:
    """One sample; None if there is none."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            told = {label: said for label, said in sample.labels.items() if said}  # an empty one is none
            if sample.name == name and told == labels:
                return float(sample.value)
    return None
