"""What crosses sites: parameters, strategies that combine them, and the loop of rounds."""
