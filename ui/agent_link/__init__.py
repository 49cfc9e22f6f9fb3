"""The way to the agent: finds it, makes sure of it, asks it, hears from it, and comes back when it was away."""
