"""What each call of a session does at the site, one file for each duty. `fedkit.sites.gate` checks who may call what before."""
