"""What a fact weighs for and against a messenger that no list knows: data alone, each row with its reason and who says so.

A weight says how seldom the fact is true of a program of the other kind. One at or above `THRESHOLD` speaks for itself; the others have
to add up (`contract/weighing`). A value is compared in lower case.
"""

import msgspec

THRESHOLD = 0.5
"""From here on the facts make a messenger."""


class Weight(msgspec.Struct, frozen=True, gc=False):
    """How much one fact weighs: above zero for a messenger, below against."""

    weight: float
    because: str
    """Ends the sentence that a person reads, without its final dot."""
    source: str


_MENU = "Desktop Menu Specification 1.1, appendix A"
_APPLE = "Apple, LSApplicationCategoryType"
_DEBIAN = "Debian Policy 4.6, section 2.4"
_SCHEMES = "IANA, Uniform Resource Identifier (URI) Schemes"
_MAKERS = "the maker's own links"


def _against(reasons: dict[str, tuple[float, str]], source: str) -> dict[str, Weight]:
    return {value: Weight(-weight, because, source) for value, (weight, because) in reasons.items()}


CATEGORIES: dict[str, Weight] = {
    "instantmessaging": Weight(0.8, "programs in it are made for instant messages", _MENU),
    "ircclient": Weight(0.8, "programs in it are made for Internet Relay Chat", _MENU),
    "chat": Weight(0.6, "programs in it are made to chat", _MENU),
    "videoconference": Weight(0.5, "programs for video conferences carry messages as well", _MENU),
    "telephony": Weight(0.25, "some telephone programs carry messages as well", _MENU),
    "network": Weight(0.1, "every messenger needs a network, but so do many others", _MENU),
} | _against(
    {
        "webbrowser": (0.9, "a browser shows messengers' pages and is none itself"),
        "terminalemulator": (0.9, "what runs in a terminal is a program of its own"),
        "ide": (0.8, "a development environment may show a chat beside the code"),
        "email": (0.7, "a mail program may show a chat beside the mail"),
        "development": (0.7, "a tool for developers may show a chat beside its purpose"),
        "emulator": (0.7, "what runs in an emulator is a program of its own"),
        "game": (0.7, "players may write to each other beside the game"),
        "packagemanager": (0.7, "it installs messengers and is none itself"),
        "texteditor": (0.7, "an editor may show a chat beside the text"),
        "artificialintelligence": (0.6, "the other side of the chat is a program"),
        "monitor": (0.6, "it watches something and tells of it"),
        "player": (0.6, "a player may show a chat beside what is played"),
        "recorder": (0.6, "a recorder may show a chat beside what is recorded"),
        "settings": (0.6, "it sets up messengers and is none itself"),
        "remoteaccess": (0.5, "a remote desktop may have a chat beside the screen"),
        "contactmanagement": (0.3, "an address book starts messengers and is none itself"),
        "office": (0.3, "an office program may show a chat beside the document"),
        "feed": (0.3, "a feed is read, not answered"),
        "filetransfer": (0.3, "its purpose is to send files"),
        "news": (0.3, "news are read, not answered"),
        "p2p": (0.3, "its purpose is to share files"),
    },
    _MENU,
)
"""Categories of desktop entries and of AppStream. AudioVideo is not among those against, since the specification wants it beside
VideoConference."""

APP_CATEGORIES: dict[str, Weight] = (
    {
        "public.app-category.social-networking": Weight(
            0.45, "messengers are in it, beside networks to publish on", _APPLE
        ),
        "public.app-category.business": Weight(
            0.15, "messengers for work are in it, beside many others", _APPLE
        ),
    }
    | _against(
        {"public.app-category.developer-tools": (0.7, "a tool for developers may show a chat beside its purpose")},
        _APPLE,
    )
    | _against(
        {
            f"public.app-category.{kind}": (0.7, "players may write to each other beside the game")
            for kind in (
                "games", "action-games", "adventure-games", "arcade-games", "board-games", "card-games", "casino-games",
                "dice-games", "educational-games", "family-games", "kids-games", "music-games", "puzzle-games", "racing-games",
                "role-playing-games", "simulation-games", "sports-games", "strategy-games", "trivia-games", "word-games",
            )
        },
        _APPLE,
    )
)  # fmt: skip
"""LSApplicationCategoryType of macOS, in lower case."""

URL_SCHEMES: dict[str, Weight] = (
    {
        scheme: Weight(0.7, because, _SCHEMES)
        for scheme, because in {
            "xmpp": "XMPP carries instant messages",
            "irc": "they lead to a channel of Internet Relay Chat",
            "ircs": "they lead to a channel of Internet Relay Chat",
            "irc6": "they lead to a channel of Internet Relay Chat",
            "matrix": "they lead to a room of Matrix",
            "im": "they address somebody's instant messages",
            "aim": "they address somebody at AOL Instant Messenger",
            "ymsgr": "they address somebody at Yahoo Messenger",
            "msnim": "they address somebody at Windows Live Messenger",
            "skype": "they address somebody at Skype",
            "mumble": "they lead to a voice chat of Mumble",
            "ventrilo": "they lead to a voice chat of Ventrilo",
            "teamspeak": "they lead to a voice chat of TeamSpeak",
        }.items()
    }
    | {
        scheme: Weight(0.7, f"they lead to {service}", _MAKERS)
        for scheme, service in {
            "tg": "Telegram", "sgnl": "Signal", "whatsapp": "WhatsApp", "slack": "Slack", "msteams": "Microsoft Teams",
            "discord": "Discord", "viber": "Viber", "weixin": "WeChat", "wechat": "WeChat", "line": "LINE", "tox": "Tox",
            "jami": "Jami", "threema": "Threema", "wire": "Wire", "element": "Element", "io.element.desktop": "Element",
            "rocketchat": "Rocket.Chat", "mattermost": "Mattermost", "zulip": "Zulip", "webexteams": "Webex", "icq": "ICQ",
            "gitter": "Gitter", "fb-messenger": "Messenger", "kakaotalk": "KakaoTalk", "dingtalk": "DingTalk",
            "ts3server": "a voice chat of TeamSpeak", "session": "Session", "simplex": "SimpleX", "briar": "Briar",
        }.items()
    }
    | {
        scheme: Weight(0.5, f"they lead to a meeting of {service}, which carries messages as well", _MAKERS)
        for scheme, service in {
            "zoommtg": "Zoom", "zoomus": "Zoom", "webex": "Webex", "gotomeeting": "GoTo", "jitsi-meet": "Jitsi Meet",
        }.items()
    }
    | {
        "sms": Weight(0.3, "some programs send text messages, others only dial", _SCHEMES),
        "sip": Weight(0.2, "some telephone programs carry messages as well", _SCHEMES),
        "sips": Weight(0.2, "some telephone programs carry messages as well", _SCHEMES),
        "callto": Weight(0.2, "some telephone programs carry messages as well", _MAKERS),
        "tel": Weight(0.1, "some telephone programs carry messages as well", _SCHEMES),
    }
    | _against(
        {
            "http": (0.5, "what opens web pages is a browser, or chooses one"),
            "https": (0.5, "what opens web pages is a browser, or chooses one"),
            "mailto": (0.25, "it writes mail"),
        },
        _SCHEMES,
    )
)  # fmt: skip
"""URL schemes that an application says it opens."""

SECTIONS: dict[str, Weight] = {
    "net": Weight(0.05, "messengers are in it, beside everything that uses a network", _DEBIAN),
    "comm": Weight(0.05, "messengers are in it, beside everything for modems and telephones", _DEBIAN),
} | _against(
    {
        "devel": (0.5, "it holds tools for developers"),
        "editors": (0.5, "it holds editors"),
        "games": (0.5, "it holds games"),
        "mail": (0.5, "it holds what sends and shows mail"),
        "web": (0.5, "it holds browsers and what serves pages"),
        "news": (0.3, "it holds what shows news"),
    },
    _DEBIAN,
)
"""Sections of Debian's packages, without what stands before a slash."""

_NAMES_ITS_PURPOSE = "those words name a messenger's purpose"
DESCRIPTIONS: dict[str, Weight] = {
    phrase: Weight(0.42, _NAMES_ITS_PURPOSE, "what its maker or packager wrote")
    for phrase in (
        "instant messaging", "instant messenger", "instant messages", "messaging client", "messaging app", "messenger",
        "chat client", "chat program", "chat application", "chat app", "group chat", "team chat", "voice chat", "secure chat",
        "irc client", "xmpp client", "jabber client", "matrix client", "im client", "video conferencing",
        "xmpp", "jabber", "internet relay chat",
    )
}  # fmt: skip
"""Phrases in the line that describes an application or its package; whole words, and only the first that is found counts."""

WEIGHTS_OF: dict[str, dict[str, Weight]] = {
    "category": CATEGORIES,
    "app_category": APP_CATEGORIES,
    "url_scheme": URL_SCHEMES,
    "section": SECTIONS,
    "description": DESCRIPTIONS,
}
"""All of them, by the kind of fact."""
