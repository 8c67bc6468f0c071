"""What unspun costs beside its peers, at its start and as its work grows: scripts/bench

``articles`` are what is timed; ``peers`` what runs over them, in turn by ``race``; ``start`` times fresh processes,
``curves`` growing work (each point in a process of its own, ``point``); ``machine`` says what all this ran on;
``classifier`` trains the peer that has to be trained; ``report`` and ``plots`` show the results; ``run`` is the
command. ``stages`` is what one verdict spends its time on.
"""
