"""模板词 Template words of our own."""
