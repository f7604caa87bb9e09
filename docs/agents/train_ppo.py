"""Train an agent for miagym/Single-v0 with PPO, and see on `val` what it has learned.

    pip install "miagym[agents]"
    python docs/agents/train_ppo.py --budget 4 --out agent.safetensors

One candidate, a few questions, a verdict: the agent sees numbers only (`Features`) and acts by one
number (`FlatActions`). All environments ask the target in one batch. The file that it writes holds
the weights of a small network; `LearnedAgent.load` plays it, without stable-baselines3.
"""

import argparse
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

import miagym  # registers the environments
from miagym.agents.agent import play
from miagym.agents.stable_baselines import FlatVecEnv, learned_agent
from miagym.envs import grade


def option(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass
class Args:
    target: str = option("clipart-overfit", "who is asked")
    access: str = option("grey", "what may be asked: black, grey or white")
    questions: str = option("loss@60,loss@200", "the menu, separated by commas")
    budget: int = option(4, "UNet rows in an episode")
    levels: int = option(11, "probabilities that a verdict can name")
    envs: int = option(64, "environments that play at once")
    steps: int = option(32_768, "steps of all environments together")
    rollout: int = option(16, "steps of each environment between two updates")
    learning_rate: float = option(3e-3, "of Adam; it falls to 0 in the course of training")
    entropy: float = option(0.01, "weight of the entropy bonus, which keeps the agent trying")
    curiosity: float = option(
        5.0, "how much likelier it asks than it judges, in log odds, before it has learned anything"
    )
    seed: int = option(0, "of everything that is random")
    out: Path = option(Path("agent.safetensors"), "where the agent is written")


parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
for each in fields(Args):
    name = f"--{each.name.replace('_', '-')}"
    parser.add_argument(name, type=type(each.default), default=each.default, **each.metadata)
args = Args(**vars(parser.parse_args()))

# Environments: `train` pays a reward, and all 64 ask in one batch.
options = {
    "target": args.target,
    "access": args.access,
    "questions": args.questions.split(","),
    "budget": args.budget,
}
envs = gym.make_vec(
    "miagym/Single-v0", num_envs=args.envs, autoreset_mode="Disabled", split="train", **options
)
watched = VecMonitor(FlatVecEnv(envs, levels=args.levels))
# Losses of members and non-members differ by little: without scaling they all look the same.
scaled = VecNormalize(watched, norm_reward=False, epsilon=1e-4)

# PPO, with a network of two layers of 64.
torch.manual_seed(args.seed)
model = PPO(
    "MlpPolicy",
    scaled,
    n_steps=args.rollout,
    batch_size=128,
    n_epochs=10,
    gamma=1.0,  # an episode has few steps, and a verdict is worth the same whenever it comes
    learning_rate=lambda left: args.learning_rate * left,
    ent_coef=args.entropy,
    seed=args.seed,
    device="cpu",
)
# To say one half at once earns 0, more than any untrained verdict: an agent that does not begin by
# asking settles there, and never sees what answers are worth.
menu = len(options["questions"])
with torch.no_grad():
    model.policy.action_net.bias[:menu] += args.curiosity


def tell(local: dict, _: dict) -> bool:
    """Prints the mean return and length of the last episodes, after every tenth update."""
    done = model.num_timesteps
    if done % (10 * args.envs * args.rollout) == 0:
        last = model.ep_info_buffer
        print(
            f"{done:>8} steps: return {np.mean([e['r'] for e in last]):+.3f}, "
            f"{np.mean([e['l'] for e in last]):.2f} steps an episode",
            flush=True,
        )
    return True


model.learn(args.steps, callback=tell)

# What it is worth: candidates that it has not seen, its most likely action in each state.
agent = learned_agent(model, envs.unwrapped.settings, scaled)
agent.save(args.out)
val = gym.make_vec("miagym/Single-v0", num_envs=1, split="val", **options)
found = grade(play(agent, val, episodes=80, seed=args.seed).verdicts[0])
low, high = found.brier_reward_ci
print(
    f"on val Brier reward {found.brier_reward:+.3f} [{low:+.3f}, {high:+.3f}], {found.spent:.1f} "
    f"UNet rows a candidate; written to {args.out}"
)
