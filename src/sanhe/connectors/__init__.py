"""The doors to the outside world: one package each, each knows one port."""
