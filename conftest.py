"""Puts the repository root on the import path for ``tests.support``; no test measures time."""

from hypothesis import HealthCheck, settings

# A busy machine is no fault: neither an example's deadline nor slow drawing may fail a test.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
