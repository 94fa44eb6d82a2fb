"""演练 The demo night, protocol doubles, benchmarks: nothing production needs."""
