"""What happened: the ordered events of one run, and how they are kept."""
