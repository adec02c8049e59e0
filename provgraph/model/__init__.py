"""What the graph is made of: the PROV vocabulary, identities, path classes, scrubbing."""
