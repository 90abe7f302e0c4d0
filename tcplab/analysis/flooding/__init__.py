"""SYN floods (RFC 4987): what is asked for, what was seen, and which causes of denial held."""
