"""The model that comes with the repository: how its pictures are drawn and how it is trained."""
