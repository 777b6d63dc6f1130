"""Place 场: where goods and people meet: stores, orders, fulfilment, tills."""
