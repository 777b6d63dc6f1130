"""Couriers: called by hand, and a simulator whose couriers behave as they are told."""

from sanhe.connectors.courier.by_hand import ByHand
from sanhe.connectors.courier.simulator import Behaviour, SimulatedCouriers

__all__ = ["Behaviour", "ByHand", "SimulatedCouriers"]
