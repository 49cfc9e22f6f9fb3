"""The console: the pages that people see."""
