"""Questions as pure functions of graphs, or of the port through which a store is read. No store, no file, no clock."""
