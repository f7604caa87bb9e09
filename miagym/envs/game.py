"""Game of many episodes at once, on arrays of state, with one way to the target.

`Env` and `VectorEnv` are faces of it. Every rule is written here once: a step pays its questions
slot by slot, puts all that were paid, of all episodes, to the oracle in common batches, and a
verdict ends the episode.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.envs.grading.reward import step_rewards
from miagym.envs.grading.running import is_given_up, record
from miagym.envs.grading.verdicts import VerdictLog
from miagym.envs.sampler import Sampler
from miagym.envs.settings import TRAIN, Settings
from miagym.envs.state.accounts import Accounts
from miagym.envs.state.history import History
from miagym.envs.state.moves import PRIOR, Moves, PaidQuestion, Slot, StepResult
from miagym.envs.statistics import add_up
from miagym.envs.tables.choice import load_world, questioner_of
from miagym.targets.sizes import TOKENS

if TYPE_CHECKING:  # playing from a table needs no torch
    from miagym.envs.asking import SavedAnswers
    from miagym.envs.tables.choice import AnyQuestioner, AnyWorld

NOISES = 2**31  # where the settings name no smaller number
NOT_SAVED = ("settings", "prices", "log", "begun", "_world", "_questioner")
"""What of a game is fixed, shared, or only ever grows."""


class Game:
    """State of b episodes, each in one row of every array.

    Args:
        settings: the same for all.
        episodes: b.
        keep_history: whether to keep every answer, not only the last ones and a summary.
    """

    def __init__(self, settings: Settings, episodes: int, *, keep_history: bool = False) -> None:
        self.settings = settings
        self.history = History(settings, episodes) if keep_history else None
        n, slots, size = settings.candidates, settings.slots, settings.resolution
        menu, width, side = len(settings.menu), settings.statistics, settings.answer_side
        self.prices = np.array([question.price for question in settings.menu], dtype=np.int64)
        self.accounts = Accounts(settings.budget, episodes)
        self.candidates: list[Candidates | None] = [None] * episodes
        self.members: list[NDArray[np.int8] | None] = [None] * episodes
        self.images = np.zeros((episodes, n, size, size, 3), dtype=np.uint8)
        self.tokens = np.zeros((episodes, n, TOKENS), dtype=np.int32)
        self.count = np.zeros((episodes, n, menu), dtype=np.int32)
        self.summary = np.zeros((episodes, n, menu, width), dtype=np.float32)
        self.answered = np.zeros((episodes, slots), dtype=np.int8)
        self.answer_images = np.zeros((episodes, slots, side, side, 3), dtype=np.uint8)
        self.answer_values = np.zeros((episodes, slots, width), dtype=np.float32)
        self.probability = np.full((episodes, n), PRIOR)
        self.places = np.zeros((episodes, n), dtype=np.int64)
        self.steps = np.zeros(episodes, dtype=np.int64)
        self.over = np.ones(episodes, dtype=bool)
        self.beside = np.zeros(episodes, dtype=np.int64)
        """UNet rows paid since the last step, but not by it: see `bridge`."""
        self.begun = np.zeros(episodes, dtype=np.int64)
        """How many episodes each row has seen begin."""
        self.last: list[dict[int, Slot]] = [{} for _ in range(episodes)]
        """The slots, by number, of the last step that asked anything, for `render`."""
        self.log = VerdictLog()
        self._samplers: list[Sampler | None] = [None] * episodes
        self._first_draw = np.zeros(episodes, dtype=np.int64)
        self._answers: SavedAnswers | None = None
        """Of a game that was saved, for a questioner that is still to be made."""
        self._questioner: AnyQuestioner | None = None
        self._world: AnyWorld | None = None

    @property
    def world(self) -> AnyWorld:
        """Target, reference and candidates, loaded at the first use; or a table of answers."""
        self._world = self._world or load_world(self.settings)
        return self._world

    @property
    def questioner(self) -> AnyQuestioner:
        if self._questioner is None:
            self._questioner = questioner_of(self.settings, self.world, len(self.over))
            self._questioner.restore(self._answers)
        return self._questioner

    def saved(self) -> dict[str, Any]:
        """All that changes in play, not copied; what only ever grows is left out."""
        kept = {name: value for name, value in vars(self).items() if name not in NOT_SAVED}
        return kept if self._questioner is None else {**kept, "_answers": self._questioner.saved()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Goes on from what `saved` gave; oracles of episodes from before are over."""
        vars(self).update(saved)
        self.begun += 1
        if self._questioner is not None:
            self._questioner.restore(self._answers)

    def host(self, world: AnyWorld, samplers: Sequence[Sampler], questioner: AnyQuestioner) -> None:
        """Deals each episode from a sampler of a host's, whose questioner asks its world."""
        self._world, self._samplers, self._questioner = world, list(samplers), questioner

    def share_world(self, other: Game) -> None:
        """Uses the models and data that another game has loaded."""
        self._world = other._world

    def __getstate__(self) -> dict[str, Any]:
        """Without models and data, which the settings name."""
        return {**vars(self), **self.saved(), "_world": None, "_questioner": None}

    def begin(self, episode: int, rng: np.random.Generator, *, shuffle: bool) -> None:
        """Begins an episode: deals new candidates and fills the budget.

        An episode that is given up once anything was asked or said counts as if it had been cut
        off: whoever could drop the candidates that leave them in doubt would be graded too well.

        Args:
            episode: its row.
            rng: of all that is random in it.
            shuffle: whether to sample from the whole split again, as after a new seed.
        """
        if is_given_up(self, episode):
            record(self, [episode], self.log)
        split, sampler = self.world.split, self._samplers[episode]
        if shuffle or sampler is None:
            sampler = self._samplers[episode] = self.sampler(rng)
        places = self.places[episode] = sampler.sample()
        dealt = split.candidates(places)
        self.candidates[episode], self.members[episode] = dealt, split.member(places)
        self.images[episode] = dealt.images
        self.tokens[episode] = self.world.target.tokenize(dealt.captions)
        self._first_draw[episode] = rng.integers(self.settings.draws or NOISES)
        self.accounts.refill(np.array([episode]))
        self.questioner.forget(episode)
        if self.history is not None:
            self.history.forget(episode)
        self.begun[episode] += 1
        self.last[episode] = {}
        self.probability[episode] = PRIOR
        for state in (self.count, self.summary, self.steps, self.over, self.beside):
            state[episode] = 0
        self._clear_answers(np.array([episode]))

    def play(self, episodes: NDArray[np.intp], moves: Moves) -> StepResult:
        """Plays one step of k episodes that are not over.

        Args:
            episodes: their rows (k,).
            moves: what they do, checked already.
        """
        asking = (moves.candidate < self.settings.candidates) & ~moves.stop[:, None]
        prices = np.where(asking, self.prices_of(moves), 0)
        paid = self.accounts.pay(episodes, prices)
        self.probability[episodes] = moves.probability
        self.steps[episodes] += 1
        self._clear_answers(episodes)
        self._note(episodes, moves, asking)
        self._ask(episodes, moves, paid)
        terminated = moves.stop.copy()
        truncated = ~terminated & (self.steps[episodes] >= self.settings.step_limit)
        self.over[episodes] = terminated | truncated
        record(self, episodes[self.over[episodes]], self.log)
        reward = np.zeros(len(episodes))
        if self.settings.split == TRAIN:
            rows = (prices * paid).sum(axis=1) + self.beside[episodes]
            reward = step_rewards(
                spent=self.settings.price * rows / self.settings.budget,
                refused=(asking & ~paid).sum(axis=1),
                probability=self.probability[episodes],
                ended=[self.told(episode) for episode in episodes],
            )
        self.beside[episodes] = 0
        return StepResult(reward, terminated, truncated)

    def prices_of(self, moves: Moves) -> NDArray[np.int64]:
        """Price of what each slot asks (k, slots)."""
        return self.prices[moves.question]

    def dealt(self, episode: int) -> Candidates:
        """Candidates of an episode that has begun."""
        dealt = self.candidates[episode]
        assert dealt is not None
        return dealt

    def sampler(self, rng: np.random.Generator) -> Sampler:
        """Deals the candidates of one row's episodes."""
        return self.world.split.sampler(self.settings.candidates, rng)

    def model(self, episode: int) -> int:
        """Number of the target of an episode within the split, where a family is played."""
        return self.world.split.model(self.places[episode])

    def judged(self, episode: int) -> tuple[str, ...]:
        """Keys of what the verdict of an episode is about."""
        return self.world.split.judged(self.places[episode], self.dealt(episode))

    def told(self, episode: int) -> NDArray[np.int8] | None:
        """Labels (n,) of an episode that is over, on `train`; None elsewhere."""
        on_train = self.settings.split == TRAIN
        return self.members[episode] if on_train and self.over[episode] else None

    def affordable(self, episodes: NDArray[np.intp]) -> NDArray[np.int8]:
        """Mask (k, menu) of questions that k episodes can pay; none once an episode is over."""
        left = np.where(self.over[episodes], 0, self.accounts.left[episodes])
        return (self.prices <= left[:, None]).astype(np.int8)

    def _clear_answers(self, episodes: NDArray[np.intp]) -> None:
        self.answered[episodes] = self.answer_images[episodes] = self.answer_values[episodes] = 0

    def _note(self, episodes: NDArray[np.intp], moves: Moves, asking: NDArray[np.bool_]) -> None:
        """What is asked counts as refused until it is answered."""
        for i in np.flatnonzero(asking.any(axis=1)):
            self.last[episodes[i]] = {
                int(slot): Slot(int(moves.candidate[i, slot]), int(moves.question[i, slot]))
                for slot in np.flatnonzero(asking[i])
            }

    def _ask(self, episodes: NDArray[np.intp], moves: Moves, paid: NDArray[np.bool_]) -> None:
        asked: list[PaidQuestion] = []
        seen: defaultdict[tuple[int, int, int], int] = defaultdict(int)
        for i, slot in zip(*np.nonzero(paid), strict=True):
            episode, question = int(episodes[i]), int(moves.question[i, slot])
            where = episode, int(moves.candidate[i, slot]), question
            earlier = int(self.count[where] + seen[where])
            draw = (int(self._first_draw[episode]) + earlier) % (self.settings.draws or NOISES)
            seen[where] += 1
            model = self.model(episode)
            asked.append(PaidQuestion(episode, int(slot), *where[1:], draw, earlier, model))
        if not asked:
            return
        replies = self.questioner.ask(asked, self.candidates)
        what = np.array([one.what for one in asked])
        add_up(self.count, self.summary, what, replies.values)
        for one, values, image in zip(asked, replies.values, replies.images, strict=True):
            at = one.episode, one.slot
            self.answered[at] = 1
            self.answer_values[at] = values
            if image is not None:
                self.answer_images[at] = image
            self.last[one.episode][one.slot] = Slot(one.candidate, one.question, values, image)
            if self.history is not None:
                self.history.add(one.episode, one.question, values, image)
