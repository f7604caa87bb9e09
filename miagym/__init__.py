"""miagym: was this picture used to train that image generator? A fair game about the question."""

__version__ = "0.1.0"
