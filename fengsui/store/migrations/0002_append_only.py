"""The ledger only grows: triggers in both databases."""

from django.db import migrations, router

MESSAGE = "台账只能追加，不能修改或删除 [S001]"
SQLITE = (
    f"CREATE TRIGGER ledger_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    f"CREATE TRIGGER ledger_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    # runs before conflict resolution, so that OR REPLACE is refused even on a connection without recursive_triggers
    f"""CREATE TRIGGER ledger_again BEFORE INSERT ON ledger
        WHEN EXISTS (SELECT 1 FROM ledger WHERE seq = NEW.seq OR id = NEW.id)
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
)
POSTGRESQL = (
    f"""CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation'; END $$""",
    """CREATE TRIGGER ledger_change BEFORE UPDATE OR DELETE ON ledger
        FOR EACH ROW EXECUTE FUNCTION ledger_refuse()""",
    """CREATE TRIGGER ledger_truncate BEFORE TRUNCATE ON ledger
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()""",
)


def create(apps, editor):
    if not router.allow_migrate(editor.connection.alias, "store", model_name="ledger"):
        return
    for text in SQLITE if editor.connection.vendor == "sqlite" else POSTGRESQL:
        editor.execute(text)
    editor.execute(
        "INSERT INTO chain (id, seq, hash, epoch, signature, key) VALUES (1, 0, %s, 0, '', '')", ["0" * 64]
    )


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]
    operations = [migrations.RunPython(create)]  # no way back: the ledger is never made changeable again
