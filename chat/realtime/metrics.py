"""Figures for Prometheus: of this process, not of the site."""

from prometheus_client import Counter, Gauge, Histogram

CONNECTIONS = Gauge("hubtalk_connections", "Open connections")
POSTS = Counter("hubtalk_posts", "Posts stored")
BATCH_POSTS = Histogram("hubtalk_batch_posts", "Posts in one commit", buckets=[2**power for power in range(10)])
COMMIT_SECONDS = Histogram(
    "hubtalk_commit_seconds", "Time of one commit", buckets=[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2]
)
