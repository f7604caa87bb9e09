"""miagym: was this picture used to train that image generator? A fair game about the question."""

import os

__version__ = "0.1.0"

# Before any library is imported: none reports home, and none talks between our tables.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")

from miagym.envs import register as _register

_register()
