"""What would stop `cn2 up`, found before anything is started: every finding says what to do."""
