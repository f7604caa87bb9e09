"""The front door: names and objects in, typed results out. Command line and page call nothing else.

It alone knows the registry of attacks.
"""
