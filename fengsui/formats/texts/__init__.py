"""预警文本 Issued texts: what a Chinese warning text says, read by a small grammar of how such texts are built."""
