"""Access (权限): accounts, sessions, keys, and who may see and do what.

`Access` keeps accounts and keys, signs people in and tells who the holder of a token is;
`may` says what an identity may do (`ACTIONS` lists all there is); its `scope` goes into
`Sanhe.work(scope=...)`, and the database shows no other rows. `read_sign_in` reads how people may
sign in, `granted` says what an OpenID provider's claims are worth. See docs/guide/access.md.

Commands: sanhe account add, sanhe account list, sanhe account change, sanhe account password,
sanhe account link, sanhe key add, sanhe key list, sanhe key revoke.
"""

from sanhe.core.access.access import Access
from sanhe.core.access.claims import Granted, NotAdmitted, Refusal, granted
from sanhe.core.access.ports import Account, Identity, Key, Role, SignedIn
from sanhe.core.access.rules import ACTIONS, Action, actions_of, may
from sanhe.core.access.sign_in import Oidc, SignIn, is_safe_address, read_sign_in
from sanhe.core.scope import EVERYTHING, Scope

__all__ = [
    "ACTIONS",
    "EVERYTHING",
    "Access",
    "Account",
    "Action",
    "Granted",
    "Identity",
    "Key",
    "NotAdmitted",
    "Oidc",
    "Refusal",
    "Role",
    "Scope",
    "SignIn",
    "SignedIn",
    "actions_of",
    "granted",
    "is_safe_address",
    "may",
    "read_sign_in",
]
