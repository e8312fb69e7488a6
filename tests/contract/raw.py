"""A registry's database as it lies there, without the store."""

from sqlalchemy import inspect, text

from lifecycle.adapters.sql.engine import open_engine


def sql(url: str, *statements: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def shape(url: str) -> dict[str, list[tuple[str, str, bool]]]:
    """Every table's columns: name, type, whether it may be empty."""
    engine = open_engine(url)
    found = {
        table: [
            (column["name"], str(column["type"]), column["nullable"])
            for column in inspect(engine).get_columns(table)
        ]
        for table in sorted(inspect(engine).get_table_names())
    }
    engine.dispose()
    return found
