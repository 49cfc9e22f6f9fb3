"""Domains of companies: one spelling for each, and which lies within which. Pure.

>>> normalised("Example.COM."), normalised("münchen.example")
('example.com', 'xn--mnchen-3ya.example')
>>> is_within("a.example.com", "example.com"), is_within("notexample.com", "example.com")
(True, False)
>>> [why_not_a_companys(one) for one in ("com", "gmail.com", "co.uk")]
['is no domain of two parts or more', 'gives addresses to anybody', 'belongs to nobody alone']
"""

import re

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_DEVIATING = frozenset("ßς\u200c\u200d")
"""What IDNA 2003, which Python's library knows, and IDNA 2008 read as two different domains (UTS 46, section 7)."""
_LONGEST = 253
_FOR_ANYBODY = frozenset(
    [
        "163.com",
        "126.com",
        "aol.com",
        "fastmail.com",
        "free.fr",
        "gmail.com",
        "gmx.at",
        "gmx.ch",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mac.com",
        "mail.com",
        "mail.ru",
        "me.com",
        "msn.com",
        "naver.com",
        "onmicrosoft.com",
        "outlook.com",
        "outlook.de",
        "posteo.de",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "slack.com",
        "t-online.de",
        "web.de",
        "yahoo.co.jp",
        "yahoo.com",
        "yahoo.de",
        "yandex.com",
        "yandex.ru",
        "enterprise.slack.com",
        "zohomail.com",
    ]
)
"""Well-known ones; whoever has no address of their own company has one of these."""
_NOBODYS = frozenset(
    [
        "ac.jp",
        "ac.nz",
        "ac.uk",
        "co.in",
        "co.jp",
        "co.kr",
        "co.nz",
        "co.uk",
        "co.za",
        "com.ar",
        "com.au",
        "com.br",
        "com.cn",
        "com.hk",
        "com.mx",
        "com.my",
        "com.sg",
        "com.tr",
        "com.tw",
        "edu.au",
        "gov.au",
        "gov.uk",
        "ltd.uk",
        "me.uk",
        "ne.jp",
        "net.au",
        "net.uk",
        "or.jp",
        "org.au",
        "org.nz",
        "org.uk",
        "plc.uk",
    ]
)
"""Those of two parts under which anybody registers, the frequent ones of the Public Suffix List."""


def normalised(text: str) -> str | None:
    """Return a domain as it is compared, in small ASCII letters and without the last dot; None if it is none."""
    bare = text.strip().removesuffix(".").lower()
    if _DEVIATING & set(bare):
        return None
    try:
        ascii_form = bare.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = ascii_form.split(".")
    if len(labels) < 2 or len(ascii_form) > _LONGEST or labels[-1].isdigit():
        return None
    return ascii_form if all(_LABEL.match(label) for label in labels) else None


def is_within(domain: str, whole: str) -> bool:
    """Tell whether a domain is another or lies below it; both normalised."""
    return domain == whole or domain.endswith(f".{whole}")


def why_not_a_companys(text: str) -> str | None:
    """Return what stands against taking a domain for a company's own; None if nothing does."""
    if _DEVIATING & set(text.lower()):
        return "is read in two ways; write it as it begins with xn--"
    domain = normalised(text)
    if domain is None:
        return "is no domain of two parts or more"
    if domain in _FOR_ANYBODY:
        return "gives addresses to anybody"
    if domain in _NOBODYS:
        return "belongs to nobody alone"
    return None


def domain_of_address(address: str) -> str | None:
    """Return the domain of a mail address or account, and nothing of who it is.

    >>> domain_of_address("somebody@Example.com"), domain_of_address("somebody")
    ('example.com', None)
    """
    _, at, domain = address.rpartition("@")
    return normalised(domain) if at else None
