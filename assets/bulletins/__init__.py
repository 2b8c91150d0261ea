"""Stage 6, bulletins (通报): one document model, several writers, every number registered.

Belongs here: composing and rendering documents. Does not belong here: sending them (deliveries).
"""
