"""流程 The imperative shell: the one writer, lanes, ways back, the clock, serving."""
