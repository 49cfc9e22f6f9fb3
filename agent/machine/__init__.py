"""The ids of this machine and of this boot: one small module for each system, chosen in `this_system`."""
