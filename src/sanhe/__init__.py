"""sanhe 三合 joins a retailer's people (人), goods (货) and places (场) into one loop."""

__version__ = "0.1.0"
