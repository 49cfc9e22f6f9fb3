"""docs/privacy/works-agreement.md: an annex to a German works agreement (section 87(1) no. 6 BetrVG), in German.

Each German text stands for an English one of the contract's; `of` is a digest of that, so that a test fails when the English changes.
"""

import hashlib

import msgspec

from contract.ceiling import Detail
from contract.observations import DISCLOSURES, Disclosure
from dev.privacy.page import USUAL

_BLANK = "**[auszufüllen]**"


class German(msgspec.Struct, frozen=True):
    """What is said of one type, in German."""

    what: str
    why: str
    who: str
    of: str
    """Digest of the English text that it was made from, see `digest`."""


def digest(one: Disclosure) -> str:
    """Return what stands for an English text: eight hexadecimal digits."""
    return hashlib.sha256(f"{one.what}\n{one.why}\n{one.who}".encode()).hexdigest()[:8]


IN_GERMAN: dict[str, German] = {
    "enrolment": German(
        "Einmalig, bei der Aufnahme des Geräts: Betriebssystem, Eigentümer des Geräts (Firma oder Person), Version von Decorum, Uhrzeit, "
        "eigener öffentlicher Schlüssel, ein Kennwert der Maschine, den nur diese Firma wiedererkennt, und bei Geräten der Firma der Rechnername.",
        "Damit der Server dieses Gerät aufnimmt und kein anderes.",
        "Administration",
        "5f7b45b9",
    ),
    "heartbeat": German(
        "Dass es das Gerät gibt: Kennung, Betriebssystem, Eigentümer, Versionen von Decorum, der Richtlinie und der Liste bekannter Messenger, Uhr "
        "und letzter Neustart, Anzahl wartender Meldungen und deren Prüfsummen, eine Prüfsumme des örtlichen Protokolls, die nichts von dessen "
        "Inhalt verrät, und der nächste öffentliche Schlüssel, wenn er wechselt.",
        "Damit auffällt, wenn ein Gerät verstummt.",
        "Administration und Compliance",
        "a8ad528a",
    ),
    "question": German(
        "Wenn jemand am Gerät fragt, was der Server über das Gerät gespeichert hat: die Frage, ab welcher Stelle, und die Uhrzeit.",
        "Damit man es mit der Liste des Gesendeten vergleichen kann.",
        "Niemand; sie wird beantwortet und nicht gespeichert",
        "83278185",
    ),
    "leaving": German(
        "Wenn jemand das eigene Gerät mit `decorum leave` abmeldet: dass dies geschieht, und die Uhrzeit.",
        "Damit der Server alles über das Gerät löscht.",
        "Die Administration sieht, dass ein Gerät abgemeldet wurde und welche Nummer es hatte",
        "160c0e9f",
    ),
    "sighting": German(
        "Dass ein Messenger gestartet oder beendet wurde: Name und Art, ob er bekannt ist, Tag und Uhrzeit, ob auf der dienstlichen oder privaten "
        "Seite, wie die Richtlinie dieser Version ihn beurteilt und nach welcher Regel; bei einem Messenger, den keine Liste kennt, auch was "
        "dessen Programm über sich selbst angibt und woran er erkannt wurde; unter einer Zufallszahl und nur so viel davon, wie für die "
        "jeweilige Seite zugelassen ist. Niemals eine Nachricht, ein Kontakt, ein Fenstertitel oder ein Konto.",
        "Damit die Firma zeigen kann, dass dienstliche Nachrichten der Richtlinie folgen.",
        "Compliance",
        "ef3eaff0",
    ),
    "installed": German(
        "Dass ein Messenger hier installiert ist oder nicht mehr: Name und Art, ob er bekannt ist, auf welcher Seite, und an welchem Tag und um welche Zeit das "
        "bemerkt wurde; unter einer Zufallszahl und nur so viel davon, wie für die jeweilige Seite zugelassen ist. Niemals ein anderes Programm.",
        "Damit ein Messenger, der unbenutzt daliegt, von einem benutzten unterschieden wird.",
        "Compliance",
        "26854d0e",
    ),
    "unretained": German(
        "Dass ein Messenger, der für die Arbeit geöffnet wurde, Dateien gespeichert hat, während nichts diesen Kanal aufbewahrte: Name und Art, ob er "
        "bekannt ist, die Seite, der Tag, wie viele Dateien, wie groß und welcher Art, und wie viele die Person übergeben hat; unter einer Zufallszahl "
        "und nur so viel davon, wie für die dienstliche Seite zugelassen ist. Namen von Dateien nur, wo Richtlinie und Einstellungen des Geräts es beide "
        "sagen. Niemals der Inhalt einer Datei, und niemals aus einem anderen Ordner.",
        "Damit dienstliche Aufzeichnungen, die dort ankommen, nicht verloren gehen.",
        "Compliance",
        "4c0acfac",
    ),
    "exposure": German(
        "Nur von der dienstlichen Seite, wenn ein Tag vorüber ist: dass ein Messenger an diesem Tag offen war, Name und Art, ob er bekannt ist, wie lange, "
        "während das Gerät wach war, in wie vielen Sitzungen, und für wie viel davon nicht bekannt war, dass seine Nachrichten aufbewahrt werden; unter "
        "einer Zufallszahl und nur so viel davon, wie für die dienstliche Seite zugelassen ist: auf die Sekunde, wo genaue Zeiten gesendet werden dürfen, "
        "sonst auf die Viertelstunde, und keine Dauer, wo der Name nicht gesendet werden darf. Offen heißt nicht geschrieben: davon ist nichts bekannt.",
        "Damit die Firma weiß, wie viel ihrer dienstlichen Nachrichten außerhalb ihrer Aufzeichnungen liegt.",
        "Compliance",
        "a8ccf371",
    ),
    "daily_count": German(
        "Wo für eine Seite nicht mehr zugelassen ist: wie viele Messenger an einem Tag auf ihr benutzt wurden, sobald der Tag vorbei ist. Nie "
        "welcher Art, welche, oder wann.",
        "Damit bekannt ist, ob überhaupt Messenger benutzt werden, ohne mehr zu wissen.",
        "Compliance",
        "1ca3f071",
    ),
    "receipt": German(
        "Dass der Text einer Erinnerung auf diesem Gerät gezeigt wurde: welcher Text in welcher Sprache, zu welcher Regel welcher Richtlinie, wann, "
        "und ob er bestätigt oder aufgeschoben wurde; unter einer Zufallszahl.",
        "Damit von niemandem gesagt wird, er sei informiert worden, der es nicht wurde.",
        "Compliance",
        "efbc1f80",
    ),
    "request": German(
        "Wenn jemand mit `decorum ask` um eine Ausnahme bittet oder eine Frage stellt: was von beidem, der Messenger und der Tag, bis zu dem, die Worte, "
        "wie sie geschrieben wurden, und die Uhrzeit; unter einer Zufallszahl.",
        "Damit jemand antworten kann.",
        "Compliance",
        "14ff49c2",
    ),
    "policy": German(
        "Dass eine Richtlinie hier in Kraft gesetzt oder abgelehnt wurde und warum; welche und wann.",
        "Damit bekannt ist, welche Regeln wo gelten.",
        "Administration und Compliance",
        "552bd8ff",
    ),
    "notice": German(
        "Wie die Person über die Erhebung informiert wurde, in welcher Fassung, in welcher Sprache und wann.",
        "Weil vorher nichts als ein Lebenszeichen das Gerät verlässt.",
        "Compliance",
        "cce9848c",
    ),
    "trouble": German(
        "Dass ein Teil von Decorum hier nicht arbeitet, welcher und seit wann, oder dass der Server von diesem Gerät mehr verlangt "
        "hat, als ihm zusteht.",
        "Damit es behoben werden kann.",
        "Administration",
        "6d12717d",
    ),
    "tombstone": German(
        "Dass hier Meldungen verworfen wurden, weil zu viele zu lange warteten: wie viele, von welchen Tagen, und wann.",
        "Damit eine Lücke in den Aufzeichnungen nie für eine ruhige Zeit gehalten wird.",
        "Administration und Compliance",
        "cc350f11",
    ),
}
_DETAILS: dict[Detail, str] = {
    "nothing": "nichts verlässt das Gerät",
    "count": "wie viele Messenger an einem Tag benutzt wurden, sonst nichts; gesendet nach dem Ende des Tages",
    "kind": "dass an einem Tag ein Messenger dieser Art benutzt wurde, nie welcher",
    "name": "welcher an welchem Tag; gesendet nach Mitternacht",
    "hour": "welcher in welcher Stunde; gesendet nach deren Ende",
    "exact": "welcher und wann, auf die Sekunde",
}


def page() -> str:
    """Return the annex as Markdown."""
    lines = [
        "# Anlage zur Betriebsvereinbarung: Decorum",
        "",
        "Muster zu § 87 Abs. 1 Nr. 6 BetrVG und Art. 88 DSGVO. Was das Programm tut, ist aus dessen eigenen Angaben erzeugt; was nur die Betriebsparteien",
        f"wissen, ist mit {_BLANK} bezeichnet. Keine Rechtsberatung; nicht von einem Anwalt geprüft.",
        "",
        "## 1. Gegenstand und Zweck",
        "",
        "Decorum stellt auf Arbeitsplatzrechnern fest, welche Messenger laufen, beurteilt sie auf dem Gerät nach der Messaging-Richtlinie, erinnert an diese",
        "und meldet höchstens, was nach Ziffer 3 zugelassen ist, an den Server der Firma. Eine Leistungs- oder Verhaltenskontrolle über diesen Zweck hinaus",
        f"findet nicht statt. Geltungsbereich: {_BLANK}",
        "",
        "**Nie erhoben** werden: Inhalte, Gesprächspartner und Konten; Fenstertitel, Bildschirminhalte, Tastatureingaben, Inhalte von Dateien, Orte; andere Programme;",
        "besuchte Seiten.",
        "",
        "## 2. Was das Gerät verlassen kann",
        "",
        "| was | wozu | wer es sieht | Speicherdauer | personenbezogen |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(one, IN_GERMAN[one.type]) for one in DISCLOSURES]
    lines += [
        "",
        "## 3. Höchstmaß",
        "",
        "Das Höchstmaß steht in den Einstellungen des Geräts. Die Richtlinie kann es senken; der Server kann es nie anheben. Was nicht genannt ist, verlässt das Gerät",
        "nicht. Eine unbekannte Seite wird wie die private behandelt.",
        "",
        "| Gerät | dienstlich | privat | unbekannt |",
        "|---|---|---|---|",
        f"| der Firma | {_BLANK} | {_BLANK} | {_BLANK} |",
        f"| eigenes (BYOD) | {_BLANK} | `nothing` | `nothing` |",
        "",
        "Stufen: " + "; ".join(f"`{detail}`: {words}" for detail, words in _DETAILS.items()) + ".",
        "",
        "## 4. Rechte der Beschäftigten",
        "",
        "- **Erst der Hinweis**: Bevor eine Person den Hinweis gesehen hat oder seine Erteilung festgehalten ist, verlässt nur ein Lebenszeichen das Gerät.",
        "- **Einsicht**: Jede gesendete Zeile steht wörtlich in der Liste am Gerät („What was sent“, `decorum ledger`), auch zum Speichern.",
        "- **Gegenprobe**: Das Gerät fragt den Server, was er gespeichert hat, und vergleicht beides Byte für Byte (`decorum ledger --compare`).",
        "- **Begründung**: Jede Beurteilung nennt ihre Regel. Ansprechpartner stehen in der Richtlinie.",
        "",
        "## 5. Zugriff, Löschung, Änderungen",
        "",
        f"- **Zugriffsberechtigte** der Konsole: {_BLANK}. Jeder Vorgang dort steht im Prüfprotokoll; der Betriebsrat kann es einsehen: {_BLANK}",
        f"- **Löschung**: personenbezogene Daten nach {_BLANK} Tagen (voreingestellt {USUAL.personal_data_days}, höchstens 180), täglich.",
        f"- **Änderungen**, die mehr erheben oder das Höchstmaß anheben, bedürfen der Zustimmung des Betriebsrats: {_BLANK}",
        f"- **Verwertung** entgegen dieser Vereinbarung erlangter Erkenntnisse: {_BLANK}",
        "",
    ]
    return "\n".join(lines)


def _row(one: Disclosure, german: German) -> str:
    return (
        f"| {german.what} | {german.why} | {german.who} | {_kept(one)} | {'ja' if one.personal else 'nein'} |"
    )


def _kept(one: Disclosure) -> str:
    if one.type == "question":
        return "gar nicht"
    if one.type == "leaving":
        return "als Zeile im Prüfprotokoll, ohne Namen"
    if one.type == "enrolment":
        return "solange das Gerät verzeichnet ist"
    if one.personal:
        return f"{USUAL.personal_data_days} Tage, je nach Richtlinie, höchstens 180"
    return f"{USUAL.records_days} Tage oder länger, je nach Richtlinie"
