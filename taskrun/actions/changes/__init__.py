"""Changes to the file system that can be taken back: what the actions on files are made of.

Each module knows one kind of change and has four functions for it:

    forward   make it; repeated after a crash it goes on where it was, and acts once
    look      where it stands: BEFORE (nothing of ours is there), AFTER (what we put there is), or how that has drifted
    backward  take it back, whatever stands there now; may be repeated as well
    tidy      remove what a cut-short doing or undoing may have left beside it

A change is plain data, kept in the ledger's manifest. What is needed to take it back is durable before it is made.
"""
