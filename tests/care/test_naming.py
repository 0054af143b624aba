"""Each column that holds a hash is known to the doctor, so that no room's files are missed or taken for nobody's."""

from sfumato.care.naming import FILES, NO_FILES, mentioned, tables_of
from sfumato.db import Base
from sfumato.migrations.write import load_all_records
from tests.care.made import sha256_of


def test_every_column_of_a_hash_is_said_to_name_a_file_or_not():
    load_all_records()
    found = {(table.name, column.name) for table in Base.metadata.tables.values() for column in table.columns
             if column.name.endswith("sha256")}  # fmt: skip
    unknown = found - set(FILES) - NO_FILES
    assert not unknown, "say in care/naming.py whether these name files of the store"


def test_a_hash_counts_as_mentioned_wherever_it_stands(filled, pictures):
    with filled.db.read() as session:
        found = mentioned(session, tables_of(session.connection()), filled.store)
    assert sha256_of(pictures, "red") in found
    assert {sha256 for sha256, _ in filled.store.files()} <= found
