"""Answers as text: tables, trees, JSON, CSV. Knows values, never where they came from."""
