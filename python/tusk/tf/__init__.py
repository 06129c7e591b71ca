"""Lance tables in TensorFlow: `data`. TensorFlow is imported by that, not by `import tusk.tf`."""
