"""What is bought, kept and sold (货): catalogue, stock, suppliers, demand, orders, health."""
