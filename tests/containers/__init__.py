"""The install script in real containers. `script/containers` runs these tests; otherwise they are skipped."""
