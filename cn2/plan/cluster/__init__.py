"""What the cluster's objects should be: pure functions from a snapshot to the next steps.

A plan looks at one object and everything that is derived from it, and answers with the writes
that are possible now and bring the world nearer. When they are done it is asked again. A world
that is right gets an empty answer: a second pass writes nothing.
"""
