"""Functions: what is learnt of the user's functions, and the code they run. Read
`functions.compiled_code` first.
"""
