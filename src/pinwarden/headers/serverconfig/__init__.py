"""Where a server's configuration sets, adds or removes Public-Key-Pins and Expect-CT."""
