"""出口 One file per way out, behind one contract. No people, no ledger."""
