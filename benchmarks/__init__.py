"""Measurements against the documented fast path of each library Neraca stands on; results are ratios."""
