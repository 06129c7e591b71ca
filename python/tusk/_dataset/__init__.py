"""Streams of batches in the names of pylance."""
