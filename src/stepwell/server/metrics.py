"""What is counted, in Prometheus' terms.

Requests are counted as they end; everything else is asked for when ``/metrics`` is read, so that counting costs the
engine nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
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
        self._requests = _Requests()
        self.registry.register(self._requests)

    def request(self, service: str, operation: str, code: str, seconds: float) -> None:
        """Note one request that ended."""
        self._requests.note(service, operation, code, seconds)

    def gauge(self, name: str, text: str, read: Callable[[], Reading], labels: Iterable[str] = ()) -> None:
        """A value that goes up and down, read when asked for."""
        self.registry.register(_Read(lambda: GaugeMetricFamily(name, text, labels=list(labels)), read))

    def counter(self, name: str, text: str, read: Callable[[], Reading], labels: Iterable[str] = ()) -> None:
        """A value that only grows, kept by somebody else."""
        self.registry.register(_Read(lambda: CounterMetricFamily(name, text, labels=list(labels)), read))

    def page(self) -> bytes:
        return generate_latest(self.registry)


class _Requests(Collector):
    """Plain lists, because this happens with every request; made into metrics when asked for."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}
        self._times: dict[tuple[str, str], _Times] = {}

    def note(self, service: str, operation: str, code: str, seconds: float) -> None:
        key = (service, operation, code)
        self._counts[key] = self._counts.get(key, 0) + 1
        times = self._times.get(key[:2])
        if times is None:
            times = self._times[key[:2]] = _Times([0] * (len(BUCKETS) + 1))
        times.buckets[bisect_left(BUCKETS, seconds)] += 1
        times.total += seconds

    def collect(self) -> Iterable[Metric]:
        text = "Requests by service, operation and error code (empty when there was none)."
        counts = CounterMetricFamily("stepwell_requests", text, labels=("service", "operation", "code"))
        for labels, count in self._counts.items():
            counts.add_metric(labels, count)
        text = "Time from a request's first byte in the pipeline to its reply."
        seconds = HistogramMetricFamily("stepwell_request_seconds", text, labels=("service", "operation"))
        for names, times in self._times.items():
            bounds = [*map(str, BUCKETS), "+Inf"]
            seconds.add_metric(names, list(zip(bounds, accumulate(times.buckets), strict=True)), times.total)
        return [counts, seconds]


@dataclass(slots=True)
class _Times:
    buckets: list[int]  # how many took up to each bound, and longer than the last
    total: float = 0.0


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
