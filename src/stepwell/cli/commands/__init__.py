"""One file per command; ``main.COMMANDS`` names them."""
