"""``python -m bench.torture`` kills runs; the other campaigns are modules beside this one."""

import sys

from bench.torture.runs import main

sys.exit(main())
