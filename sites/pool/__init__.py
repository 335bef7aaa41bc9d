"""Ready containers, which orders take over: `rows` what one is, `steps` and `ends` how it is made and
destroyed, `claims` how an order gets one, `takeover` how it becomes a site's, `refill` when which are made,
`look` what becomes of them meanwhile, `board` what staff see first. The flows
are in `sites/flows/pool.py`; docs/pool.md says what it is for."""
