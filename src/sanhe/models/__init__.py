"""Pure mathematics: arrays in, arrays out. Nothing of sanhe's other layers is imported here."""
