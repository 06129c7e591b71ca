"""The module path `lance.io` of pylance, which has no public names."""
