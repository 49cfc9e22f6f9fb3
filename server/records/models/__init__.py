"""What is kept of capture connectors."""

from server.records.models.connector import Connector, ConnectorTurn

__all__ = ["Connector", "ConnectorTurn"]
