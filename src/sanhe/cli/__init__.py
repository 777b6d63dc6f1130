"""The command line: a thin skin over the same façade that the web uses (entry: `app.main`)."""
