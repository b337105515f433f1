"""Opens and wires the parts a command asks for; the only part that knows them all (docs/adr/0002)."""
