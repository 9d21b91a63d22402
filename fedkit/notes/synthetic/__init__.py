"""Synthetic clinical notes and mock twins, by seed."""
