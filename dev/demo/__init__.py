"""What `make run` starts: a server, an enrolled agent and the tray, all of it in one folder."""
