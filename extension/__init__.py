"""The browsers' extension: its sources, and what makes packages of them from the catalogue."""
