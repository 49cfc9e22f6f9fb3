"""The central server `decorum-server`. Django. Never agent or ui."""
