"""How far a failure reaches: the flow that is to run again, the run, or not past a point of no return."""

from taskrun.engine.record import RUN, Record
from taskrun.engine.states import SUCCESS


def scope_above(record: Record, section: int) -> int:
    """The nearest flow around whose controller has attempts left; `RUN`: none, the run as a whole fails."""
    sections = record.flow.sections
    while section >= 0:
        _, parent, begin, end, controller = sections[section]
        if controller is not None:
            if record.attempt[begin] < attempts_of(record, begin):
                return RUN if is_past_pivot(record, begin, end) else section
            if controller.revert_all:
                return RUN
        section = parent
    return RUN


def attempts_of(record: Record, begin: int) -> int:
    """How often the controller that starts at this node may let its flow run."""
    controller = record.flow.controller(begin)
    if controller is None:
        return 1
    return record.counts.get(begin, controller.retry.attempts)


def is_past_pivot(record: Record, begin: int, end: int, floor: int = 0) -> bool:
    """Would undoing these nodes, as far as they started after ``floor``, undo a point of no return?"""
    return any(
        begin <= pivot <= end and record.state[pivot] == SUCCESS and record.order[pivot] > floor
        for pivot in record.flow.pivots
    )
