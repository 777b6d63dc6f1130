"""HTTP: the API and the pages of each audience, thin skins over the façades (接口与控制台).

`make_app` gives the application on an opened installation; `serve` runs it. Everything that the
command line can do is an operation of its OpenAPI document.

Commands: sanhe serve.
"""

from sanhe.web.app import make_app
from sanhe.web.serve import serve

__all__ = ["make_app", "serve"]
