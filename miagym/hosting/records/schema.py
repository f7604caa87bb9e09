"""Tables of a ledger."""

from __future__ import annotations

FORMAT = "miagym host 1"

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS keys (
    name TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, expires REAL, revoked INTEGER DEFAULT 0
);
CREATE TABLE IF NOT EXISTS actions (
    walk TEXT NOT NULL, number INTEGER NOT NULL, player TEXT NOT NULL, request TEXT NOT NULL,
    body TEXT NOT NULL, reply TEXT, PRIMARY KEY (walk, number), UNIQUE (player, request)
);
CREATE TABLE IF NOT EXISTS accounts (
    walk TEXT NOT NULL, hand INTEGER NOT NULL, spent INTEGER NOT NULL, PRIMARY KEY (walk, hand)
);
CREATE TABLE IF NOT EXISTS charges (
    walk TEXT NOT NULL, hand INTEGER NOT NULL, what TEXT NOT NULL, rows INTEGER NOT NULL,
    answer BLOB, PRIMARY KEY (walk, hand, what)
);
CREATE TABLE IF NOT EXISTS submissions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, player TEXT NOT NULL, task TEXT NOT NULL,
    phase TEXT NOT NULL, kind TEXT NOT NULL, walk TEXT UNIQUE, spent INTEGER NOT NULL,
    at REAL NOT NULL, scores TEXT NOT NULL
);
"""
