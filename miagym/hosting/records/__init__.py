"""What a host keeps in its one file: keys, actions, charges and answers, submissions."""
