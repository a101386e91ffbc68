"""First floor: everything that talks to the network, raising only our errors."""
