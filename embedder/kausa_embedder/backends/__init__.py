"""What runs models: onnxruntime through fastembed, onnxruntime alone, sentence-transformers."""
