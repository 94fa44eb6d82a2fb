"""格式 Structs to and from the outside forms: packs, short messages, SMPP units. No rules."""
