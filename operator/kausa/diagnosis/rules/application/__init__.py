"""What programs say of themselves before they end, and what that means: one module an idea."""
