"""The taste of one person as numbers: pure functions on arrays that know nothing else of the application."""
