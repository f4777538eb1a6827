"""The share of the processors' time that other processes took while a contestant ran."""

import dataclasses
import os
import resource

# A round in which others took more is repeated.
MOST = 0.05


@dataclasses.dataclass(frozen=True)
class Reading:
    """Seconds since the start, over all processors: all time, the part that was not idle, and that of this process and of its children."""

    total: float
    busy: float
    own: float


def reading(path="/proc/stat"):
    with open(path) as file:
        ticks = [int(word) for word in file.readline().split()[1:]]
    # user nice system idle iowait irq softirq steal; guests' time behind them is in user and nice already.
    ticks = ticks[:8]
    second = os.sysconf("SC_CLK_TCK")
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Reading(sum(ticks) / second, (sum(ticks) - sum(ticks[3:5])) / second, sum(use.ru_utime + use.ru_stime for use in spent))


def others_share(before, after):
    """The part of all processor time between the readings that was busy with others, a virtual machine's host among them; 0 to 1."""
    total = after.total - before.total
    if total <= 0:
        return 0.0
    return min(max((after.busy - before.busy - (after.own - before.own)) / total, 0.0), 1.0)
