"""What runs at the agents' hands: the entry of their clients' hooks. Standard library and sdk only."""
