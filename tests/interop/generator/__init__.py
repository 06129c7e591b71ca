"""Random Lance files, written by pylance, and what a reader must give for them."""
