"""How well the learner foretells real people's choices, beside what else one could do."""
