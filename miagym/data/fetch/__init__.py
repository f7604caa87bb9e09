"""Pictures from a table of links: politely, resumably, and counting what has rotted."""
