"""Tests on the real database, broker, worker process and model."""
