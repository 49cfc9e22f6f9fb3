"""What the three programs agree on: pure types and functions, no I/O, no clock, no logging."""
