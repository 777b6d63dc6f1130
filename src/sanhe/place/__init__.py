"""Where people and goods meet (场): stores, promises, orders and how they are fulfilled."""
