"""What people without an account may take of a process."""
