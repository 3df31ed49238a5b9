"""Simulated people rate a gallery, and judge what is painted for them and for others."""
