"""fedkit: federated clinical language models that a hospital can let in."""

__version__ = "0.1.0"
