"""Commands of whoever hosts a game: the server, its players, a class."""
