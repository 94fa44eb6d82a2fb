"""命令行 The command line: parses, composes, and calls; no rules."""


def main() -> int:
    """Run one command; the exit code is its answer."""
    return 0
