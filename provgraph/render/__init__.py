"""Answers as text (tables, trees, JSON, CSV) and, in ``pictures``, drawn. Knows values, never where they came from."""
