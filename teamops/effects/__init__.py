"""Where everything teamops does leaves."""
