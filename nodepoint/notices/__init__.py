"""What we tell people of: each notice is a row and a job of its own. Nothing waits for a mail server."""
