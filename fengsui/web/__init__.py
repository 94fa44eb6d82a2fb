"""网页 Pages and hot routes; writes only through flow."""
