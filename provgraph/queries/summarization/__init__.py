"""Summarization: what segments have in common, and what is odd in one of them."""

from provgraph.queries.summarization.summarizing import summarize

__all__ = ["summarize"]
