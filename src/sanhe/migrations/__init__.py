"""The database's migrations: one linear chain, run by `core.storage`."""
