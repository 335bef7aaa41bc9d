"""On which node a container is made, and how a node is emptied: `choice` decides, from what `reading` puts
together of the cluster's words, the last look and our own `promises`; `places` reserves what was chosen.
`rows` is what staff keep of each node, `look` the periodic look at them, `forecast` how much room is left,
`moves` and `drain` how sites leave a node, `board` what staff see first. docs/placement.md says what it is
for."""
