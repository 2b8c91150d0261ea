"""The seeded generator of simulated monthly park returns (模拟数据), one module a concern.

``registers`` (who and what exists) → ``flows``/``stocks`` (the figures) → ``forms``/``layouts``
(how a county writes them) → ``mistakes`` (what goes wrong on purpose) → ``mail`` (when it arrives)
→ ``months`` (a month's folder). Does not belong here: reading a return, or any product code.
"""
