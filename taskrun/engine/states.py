"""The states and the table of task moves, all on one screen.

The names are TaskFlow's; RETRYING between the attempts of a task and UNKNOWN (a crash took the outcome) are ours.
"""

from typing import Final

# Plain strings, not an enumeration: they are compared and hashed several times for every event.
State = str

PENDING: Final = "PENDING"
RUNNING: Final = "RUNNING"
SUCCESS: Final = "SUCCESS"
FAILURE: Final = "FAILURE"
RETRYING: Final = "RETRYING"
REVERTING: Final = "REVERTING"
REVERTED: Final = "REVERTED"
REVERT_FAILURE: Final = "REVERT_FAILURE"
IGNORE: Final = "IGNORE"
UNKNOWN: Final = "UNKNOWN"
SUSPENDING: Final = "SUSPENDING"
SUSPENDED: Final = "SUSPENDED"
RESUMING: Final = "RESUMING"

# What a task may do. A move that is not here is a bug in the machine, never a thing to work around.
TASK_MOVES: frozenset[tuple[State, State]] = frozenset(
    {
        (PENDING, RUNNING),  # its turn came
        (PENDING, IGNORE),  # its `if` was false, or a skip reached it
        (RUNNING, SUCCESS),
        (RUNNING, FAILURE),
        (RUNNING, UNKNOWN),  # a crash took the outcome
        (FAILURE, RETRYING),  # its own `retry` has attempts left
        (RETRYING, RUNNING),
        (UNKNOWN, SUCCESS),  # a probe or a person says: it happened
        (UNKNOWN, PENDING),  # a probe or a person says: it did not
        (UNKNOWN, RUNNING),  # safe to repeat
        (UNKNOWN, REVERTED),  # a person says: undone by hand
        (SUCCESS, REVERTING),
        (FAILURE, REVERTING),  # its effect may be partial
        (RETRYING, REVERTING),  # between two attempts when the run failed
        (UNKNOWN, REVERTING),  # undo what may have happened
        (REVERT_FAILURE, REVERTING),  # somebody asked for another try
        (REVERTING, REVERTED),
        (REVERTING, REVERT_FAILURE),
        (REVERT_FAILURE, REVERTED),  # a person settled it
        (SUCCESS, PENDING),  # its flow runs again, and what had no effect is simply reset
        (FAILURE, PENDING),
        (REVERTED, PENDING),
        (IGNORE, PENDING),
    }
)

# What a retry controller may do; it has no effects of its own, so its revert cannot fail.
RETRY_MOVES: frozenset[tuple[State, State]] = frozenset(
    {
        (PENDING, RUNNING),
        (PENDING, IGNORE),  # its whole flow was skipped
        (RUNNING, SUCCESS),  # its flow may start
        (RUNNING, FAILURE),  # its `for_each` gave nothing to try
        (SUCCESS, RETRYING),  # the flow failed and was reverted: it runs again
        (RETRYING, RUNNING),
        (SUCCESS, REVERTING),
        (RETRYING, REVERTING),
        (REVERTING, REVERTED),
        (REVERTED, PENDING),  # an outer controller runs again, or a person goes on from a savepoint
        (FAILURE, PENDING),
        (IGNORE, PENDING),
    }
)

FLOW_MOVES: frozenset[tuple[State, State]] = frozenset(
    {
        (PENDING, RUNNING),
        (RUNNING, SUCCESS),
        (RUNNING, FAILURE),
        (RUNNING, SUSPENDING),
        (RUNNING, RESUMING),  # its process died; a newcomer goes on
        (FAILURE, REVERTING),
        (FAILURE, SUSPENDED),  # `on_failure: stop`, or behind a pivot: decide later
        (FAILURE, SUSPENDING),  # somebody wants a pause before the rollback begins
        (FAILURE, RESUMING),
        (REVERTING, REVERTED),
        (REVERTING, FAILURE),  # the rollback could not finish
        (REVERTING, SUSPENDING),
        (REVERTING, SUSPENDED),  # undone as far as the savepoint that was asked for
        (REVERTING, RESUMING),
        (SUSPENDING, SUSPENDED),
        (SUSPENDING, FAILURE),
        (SUSPENDING, RESUMING),
        (SUSPENDED, RESUMING),
        (SUSPENDED, REVERTING),
        (RESUMING, RUNNING),
        (RESUMING, REVERTING),
        (RESUMING, FAILURE),
        (SUCCESS, REVERTING),  # `revert RUN` of a run that worked
    }
)

# A task in one of these may have left something in the world.
APPLIED = frozenset({SUCCESS, FAILURE, RETRYING, UNKNOWN, REVERT_FAILURE})

# The run is over: nothing moves any more unless somebody asks.
FLOW_ENDED = frozenset({SUCCESS, REVERTED, SUSPENDED})
