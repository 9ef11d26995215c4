"""What the words mean: frozen values and enums that every room shares.

Nothing here computes, reads a clock, opens a file or imports another room of teamops.
"""
