"""The web console: pages for people, made of the JSON API alone.

The server gives a page its shell, its texts and the forms of its dates; everything that it shows
or does comes over ``/v1``, with the session of whoever looks at it. So the console can do nothing
that the API does not allow, and needs nothing of the hub but these files.
"""

from hub.console.routes import router

__all__ = ["router"]
