"""页面 Pages, one module for each group; every one is named in ``web.urls`` and ``web.rights``."""
