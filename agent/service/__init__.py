"""How each system starts the agent by itself, keeps it running and stops it: systemd, a Windows service, or a job of launchd."""
