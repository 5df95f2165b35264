"""0.1.5's constants."""

from coordinate_client.constants import *  # noqa: F403 - this module is those names
from coordinate_client.constants import __all__  # noqa: F401 - the same names are public here
