"""烽燧 Fengsui: a district's weather-warning mechanism, executable, with proof."""

__version__ = "0.1.0"
