"""Everything that is sent, built of parsers and configuration types alone."""
