"""The local page of runs: what the journal says, shown live in a browser, and a person's wishes written back into it.

    guarding    who may ask at all: Host, Origin, session, read-only; the headers of every answer
    sessions    the link that is printed, and the cookie it is exchanged for
    routes      the addresses; none of them becomes part of a path on the disk
    answers     what is told of one run
    reading     the journal, read in threads
    shown       a run folded into rows that change
    streaming   server-sent events; the id of each is the journal's sequence
    output      what tasks have printed, a window at a time
    previews    what a wish comes to, before it is one
    acting      wishes carried out: a request for the process that drives the run, or a process of its own for one that nobody drives
    serving     the socket

The page decides nothing and holds nothing: it may be killed at any time.
"""
