"""Fills a server's PostgreSQL with a large fleet in minutes: a small one lives through the real protocol, and is multiplied.

What is real, and what is not, stands in `bench.filler.originals` and `bench.filler.copies`.
"""
