"""Personal data (个人信息): sealed with a key per person, erased by destroying the key.

Input: a person, named by what they are to us (`member/M-1007`, `order/UUID` for a guest), a field
and its text. Output: bytes that say nothing without the person's key, to be kept in the table of
whoever asks. The keys lie in a table of their own that is in no backup of the data. They are
wrapped by a master key in a file beside the database; see docs/decisions/0042.
"""

from sanhe.core.persons.master import KeyAway, MasterKeys
from sanhe.core.persons.persons import Persons, rotate
from sanhe.core.persons.saving import load_keys, save_keys
from sanhe.core.persons.sealing import Given, masked_name, masked_phone
from sanhe.core.persons.store import UNSAVED

__all__ = [
    "UNSAVED",
    "Given",
    "KeyAway",
    "MasterKeys",
    "Persons",
    "load_keys",
    "masked_name",
    "masked_phone",
    "rotate",
    "save_keys",
]
