"""The files of models: added, checked, removed. Nothing here loads a model, and nothing of a job calls the
network."""
