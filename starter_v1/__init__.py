"""The model that comes with the repository: how its pictures are drawn, how it is trained, its weights."""
