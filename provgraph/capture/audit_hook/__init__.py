"""A folder for PYTHONPATH: its ``sitecustomize`` reports which files a user's Python process opens."""
