"""The web server: waitress, which reads requests whole before a thread has anything to do with them, with our
deadlines and our form of errors (docs/decisions/0003-the-web-server-reads-requests-whole.md)."""
