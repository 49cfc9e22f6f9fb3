"""Policies: composed, published sealed under a serial that only rises, renewed before they run out."""
