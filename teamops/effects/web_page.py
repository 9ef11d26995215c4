"""One web page that is told something: http and https alone, and its address is in no word about it."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from typing import IO
from urllib.parse import urlsplit

from teamops.version import __version__

TIMEOUT_S = 10.0
_ANSWER = 10_000
_REDIRECTS = 3


class Page:
    """The page at ``url``."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._host = urlsplit(url).hostname or ""
        self._opener = _opener()

    def ask(self, signal: str, body: str) -> tuple[str, str]:
        """Ask for what is below the page, by POST where there is a ``body``; return its host, and what went wrong."""
        return self._host, self._ask(signal, body)

    def _ask(self, signal: str, body: str) -> str:
        request = urllib.request.Request(  # noqa: S310 - http and https alone: see ``_opener`` and config.values.url
            self._url + signal,
            data=body.encode() or None,
            headers={"User-Agent": f"teamops/{__version__}", "Content-Type": "text/plain; charset=utf-8"},
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                answer.read(_ANSWER)
        except urllib.error.HTTPError as error:
            error.close()
            return f"it answers {error.code}"
        except urllib.error.URLError as error:
            reason = error.reason
            return str(
                getattr(reason, "strerror", None) or (reason if isinstance(reason, str) else type(reason).__name__)
            )
        except TimeoutError:
            return f"no answer within {TIMEOUT_S:.0f} s"
        except (OSError, http.client.HTTPException, ValueError) as error:
            return type(error).__name__
        return ""


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = _REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Follow to a web page only, and never from https to what everybody on the way can read."""
        scheme = urlsplit(newurl).scheme
        if scheme != "https" and (scheme != "http" or req.type == "https"):
            raise urllib.error.URLError(f"it leads elsewhere, by {scheme or 'no scheme'}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens http and https, and nothing else that a redirect could name."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        _Redirects(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
