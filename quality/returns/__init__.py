"""Returns (退回件): what goes back to a reporter so that it can be mended and sent again.

Belongs here: the problems in words a reporter may read, the reporter's own workbook with marks, the
letter. Does not belong here: finding problems (rules), sending (deliveries), or any word on what a
value should be.
"""
