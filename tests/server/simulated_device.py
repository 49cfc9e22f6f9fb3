"""The simulator's device: one implementation of a device's side for the server's tests, the simulator and the pictures."""

from bench.simulator.device import Post, RefusedError, Report, SimulatedDevice

__all__ = ["Post", "RefusedError", "Report", "SimulatedDevice"]
