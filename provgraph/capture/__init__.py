"""Watching a command: what it reads, writes, deletes and renames. Standard library only."""
