"""Long texts as passages that a model can read whole: logs by entries, Markdown by headings."""
