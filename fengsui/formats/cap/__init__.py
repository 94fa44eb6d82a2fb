"""通用警报格式 CAP messages: bytes ↔ structs, judged by layer — XML, schema, prose rules, signature. Opens nothing."""
