"""What every capability stands on: facts, ledger, decisions, jobs, storage, lake, places."""
