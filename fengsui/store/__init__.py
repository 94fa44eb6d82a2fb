"""存储 Storage: the only Django app with tables — ledger, directory, papers, deliveries, board. No rules here."""
