"""Who is enrolled: SQLite is the truth, an in-memory index answers. The only package that knows sqlite3."""
