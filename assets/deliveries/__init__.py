"""Stage 7, deliveries (发送): messages rendered, sent and accounted for.

Belongs here: e-mail rendering, outbox and ledger. Does not belong here: the documents themselves.
"""
