"""What is produced, one folder a stage, in lineage order.

submissions → observations → indicators → targets → assessment → bulletins → deliveries. Belongs
here: the stages; in each, ``assets.py`` is the only module that knows Dagster, the others are pure.
Does not belong here: statistics (``methods``), rules (``quality``), storage (``warehouse``). A stage
imports only stages to its left.
"""
