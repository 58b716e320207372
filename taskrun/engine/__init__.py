"""Decides what happens next, and nothing else: events in, transitions and commands out.

Theory of operation. A workflow is compiled into a :class:`~taskrun.engine.flow.Flow`, a graph of nodes: one per task
and two per flow (its beginning and its end). A :class:`~taskrun.engine.machine.Machine` holds the states of one run.
The only way in is ``receive(event)``; what comes back is a ``Step``: transitions, to be made durable first, and
commands, to be carried out after that. The machine does no IO, reads no clock (every event carries ``at``), draws no
random number and iterates no set, so the same flow and the same events give the same steps in any process, on any day.

What the journal holds are the *decisions* (transitions). Restoring folds them and decides nothing again; whatever is
not in the journal (ready lists, counters) is derived from what is.
"""
