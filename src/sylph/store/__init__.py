"""Hot and cold tables under one budget."""
