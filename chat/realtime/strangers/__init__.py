"""What people without an account may take of a process, and what they leave behind."""
