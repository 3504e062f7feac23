"""A hub with agencies that publish and answer, on one machine."""
