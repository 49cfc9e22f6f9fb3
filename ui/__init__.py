"""The tray program `decorum-tray`."""
