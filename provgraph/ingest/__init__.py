"""From raw records to facts: what the spool holds is checked, hashed, decided (docs: semantics) and journaled."""
