"""Ingestors: what a command's words and files tell about it."""
