"""Roles that note when a message passes; see `perf.traced.__main__`."""
