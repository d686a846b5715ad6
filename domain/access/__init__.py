"""Access: grants, their roles and limits, and the one decision whether a grant allows an action."""
