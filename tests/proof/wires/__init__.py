"""
A fuzz run over all wires of a real server, which tests/proof/test_wires.py and bin/fuzz start.

Many clients hold conversations at the same time, by their bytes alone. Each conversation is random, and follows
from the seed of the run and its own number. Some of them say something wrong in the end.
"""
