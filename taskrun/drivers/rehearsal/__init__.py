"""Rehearsing a workflow: let it fail, or kill taskrun, at every task in turn, and see whether the world is as before."""
