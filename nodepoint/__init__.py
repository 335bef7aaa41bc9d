"""The project and the machinery that all apps share; no word of sites or zones in it."""
