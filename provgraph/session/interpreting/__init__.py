"""What ingestors find in commands: which of them run, in a process beside the ingester, and what is written of it."""
