"""Opens a messenger for work: a copy of its own beside the private one, with its own data and downloads."""
