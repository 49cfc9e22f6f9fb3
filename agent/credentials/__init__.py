"""Where the device keeps its key: one interface, a keyring or an explicit file."""
