"""The loop: it reads everything, shows what to do, and steers (经营闭环)."""
