"""People (人): members, what they were promised, and what they are shown."""
