"""What happened, told: to a person on a screen, to a file line by line, to a program as JSON."""
