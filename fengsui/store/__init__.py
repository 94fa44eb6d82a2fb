"""存储 The only Django app with tables: ledger, directory, papers, deliveries, board. No rules."""
