"""A made-up fleet of believable people that speaks the real protocol with a real server (`python -m bench.simulator --help`)."""
