"""What `decorum-server` can be told, one module each; imported only when asked for, since Django is slow to start."""
