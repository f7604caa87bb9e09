"""Deal of a task in a phase, whichever kind of task it is."""

from __future__ import annotations

from miagym.hosting.dealing.deal import Deal
from miagym.hosting.dealing.population import PopulationDeal
from miagym.hosting.suite import HostedTask


def deal_phase(task: HostedTask, phase: str, secret: str) -> Deal:
    """Deals a task in one phase.

    Args:
        task: about a list of targets, or about a population.
        phase: "dev" or "final".
        secret: 64 hexadecimal digits.

    Raises:
        HostError: if candidates are too few, or there is no such phase.
        DataError, SettingsError: if data, or a population, cannot be read.
    """
    task.in_phase(phase, task.walks)  # refuses a phase that there is not
    kind = PopulationDeal if task.population else Deal
    return kind.of(task, phase, secret)
