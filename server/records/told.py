"""What devices are told of connectors: those that the policy in force names, with when each was heard and what it covers."""

from contract.capture import ConnectorHeard, fitting, named_connectors
from server.policies.models import Publication
from server.records.models import Connector
from server.records.rules import rules_of


def told_of(publication: Publication | None) -> tuple[ConnectorHeard, ...]:
    """Return what stands in each sealed answer; connectors that never reported to this server are left out."""
    named = named_connectors(rules_of(publication))
    if not named:
        return ()
    found = Connector.objects.filter(name__in=tuple(named)).order_by()
    known = {
        name: ConnectorHeard(
            connector=name,
            heard_at=heard_at,
            messengers=tuple(one for one in named[name] if one in covers),
            is_revoked=revoked_at is not None,
        )
        for name, heard_at, covers, revoked_at in found.values_list(
            "name", "last_heard_at", "covers", "revoked_at"
        )
    }
    return fitting(known[name] for name in named if name in known)
