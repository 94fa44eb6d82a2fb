"""量 Benches: what the product does in a second, measured end to end on this machine; every figure is one JSON object.

Everything goes to 127.0.0.1, everyone is invented, every run works in an empty data directory and is bounded.
"""
