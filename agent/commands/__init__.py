"""What `decorum` does on the command line, a module per command."""
