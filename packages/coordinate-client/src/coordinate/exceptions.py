"""0.1.5's exceptions, and those that came later."""

from coordinate_client.exceptions import *  # noqa: F403 - this module is those names
from coordinate_client.exceptions import __all__  # noqa: F401 - the same names are public here
