"""teamops.toml and the profiles, read into frozen settings. Every unknown or wrong key is refused with its place."""
