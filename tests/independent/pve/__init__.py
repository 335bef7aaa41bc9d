"""A second Proxmox VE, written from Proxmox's own sources and schemas and not from `lab/`, which it must not
import.

The lab was written beside the client and could share its beliefs. This one was not: `api/` answers the calls
that the product makes and 501 to all others, `ssh.py` plays the nodes' shells, `inside.py` the containers,
`front.py` a TLS front as nginx is one. docs/compatibility.md says what is played.
"""
