"""Saved views (常用视图): the filters of a page that a person keeps under a name.

Systems: S3.

Inputs: an account, a page, and the parameters of its address. Outputs: the same again; each
account has its own.
"""

from sanhe.loop.views.views import MOST, View, Views

__all__ = ["MOST", "View", "Views"]
