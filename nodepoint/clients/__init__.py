"""What every client of the infrastructure shares: its error family and its HTTP transport."""
