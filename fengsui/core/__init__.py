"""核心 The domain: facts, state, and the pure functions that turn one into the next. No I/O, no clock."""
