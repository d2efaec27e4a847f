"""What is counted, in Prometheus' terms.

Requests are counted as they end; everything else is asked for when ``/metrics`` is read, so that counting costs the
engine nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

Reading = Mapping[tuple[str, ...], float]
"""Values by label values; ``{(): 3}`` for a metric without labels."""


class Metrics:
    """Counts requests and gathers what others can tell."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "stepwell_requests",
            "Requests by service, operation and error code (empty when there was none).",
            ("service", "operation", "code"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "stepwell_request_seconds",
            "Time from a request's first byte in the pipeline to its reply.",
            ("service", "operation"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._children: dict[tuple[str, str, str], tuple[Callable[[], None], Callable[[float], None]]] = {}

    def request(self, service: str, operation: str, code: str, seconds: float) -> None:
        """Note one request that ended."""
        key = (service, operation, code)
        child = self._children.get(key)
        if child is None:
            child = self._requests.labels(*key).inc, self._seconds.labels(service, operation).observe
            self._children[key] = child
        child[0]()
        child[1](seconds)

    def gauge(self, name: str, text: str, read: Callable[[], Reading], labels: Iterable[str] = ()) -> None:
        """A value that goes up and down, read when asked for."""
        self.registry.register(_Read(lambda: GaugeMetricFamily(name, text, labels=list(labels)), read))

    def counter(self, name: str, text: str, read: Callable[[], Reading], labels: Iterable[str] = ()) -> None:
        """A value that only grows, kept by somebody else."""
        self.registry.register(_Read(lambda: CounterMetricFamily(name, text, labels=list(labels)), read))

    def page(self) -> bytes:
        return generate_latest(self.registry)


class _Read(Collector):
    def __init__(
        self, family: Callable[[], GaugeMetricFamily | CounterMetricFamily], read: Callable[[], Reading]
    ) -> None:
        self._family, self._read = family, read

    def collect(self) -> Iterable[Metric]:
        family = self._family()
        for labels, value in self._read().items():
            family.add_metric(list(labels), value)
        return [family]
