"""Each module measures or runs one thing; benches/run calls them in turn."""
