"""Penchant: an image studio that learns one person's taste."""
