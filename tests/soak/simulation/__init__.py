"""Simulation: a cluster on one clock and one seed, with every fault the real one can have."""
